from django.db import migrations


class Migration(migrations.Migration):
    """The model moves, its table stays: updater 0006 goes on with it."""

    dependencies = [
        ('approvals', '0012_remember_how_far_a_branch_was_looked_at'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name='Lease')],
        ),
    ]
