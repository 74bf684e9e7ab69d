"""Remember who had a hand in what is proposed, beside the plan: it is read by itself, and never sealed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0010_findings_about_unknown_effects")]
    operations = [
        migrations.AddField(
            model_name="promotion",
            name="authors",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
