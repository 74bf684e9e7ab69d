"""Remember the pull request that a promotion waits for; those that stand open are found by an index of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0003_policy_and_holds")]
    operations = [
        migrations.AddField(
            model_name="promotion",
            name="pull_request",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddIndex(
            model_name="promotion",
            index=models.Index(
                fields=["application"],
                condition=models.Q(pull_request__state__in=["proposed", "open"]),
                name="promotion_open_pull_request",
            ),
        ),
    ]
