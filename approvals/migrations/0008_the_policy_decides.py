"""Let the policy alone decide: such a decision has no person, an approval under a named rule and nothing else."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0007_holds_tell_pages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterField(
            model_name="decision",
            name="by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                condition=models.Q(by=None, voided_at=None),
                fields=("promotion", "revision"),
                name="one_standing_decision_of_the_policy",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(by__isnull=False)
                | (models.Q(verb="APPROVE", identity__contains={"via": "policy"}) & ~models.Q(rule="")),
                name="only_the_policy_decides_without_a_person",
            ),
        ),
    ]
