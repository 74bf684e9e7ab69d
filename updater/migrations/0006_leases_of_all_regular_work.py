from django.db import migrations, models


class Migration(migrations.Migration):
    """Take over the model of the leases with its table and every row in it."""

    dependencies = [
        ('updater', '0005_when_regular_work_was_begun'),
        # Its table was made there.
        ('approvals', '0013_leases_move_to_updater'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='Lease',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('target', models.TextField(unique=True)),
                        ('holder', models.TextField(blank=True, default='')),
                        ('fence', models.BigIntegerField(default=0)),
                        ('expires_at', models.DateTimeField(blank=True, null=True)),
                        ('seen_tip', models.TextField(blank=True, default='')),
                    ],
                    options={'db_table': 'approvals_lease'},
                ),
            ],
        ),
    ]
