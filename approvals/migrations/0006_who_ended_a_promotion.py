"""Remember whether a person ended a promotion: what a person took away comes back only when chosen anew."""

from django.db import migrations, models

# Withdrawing was the one end by a person that left no refusal behind.
_FROM_THE_TRAIL = """
    UPDATE approvals_promotion SET ended_by = event.actor
    FROM updater_auditevent AS event
    WHERE event.promotion = approvals_promotion.id::text AND event.actor_kind = 'person'
        AND event.kind = 'promotion.withdrawn' AND approvals_promotion.status = 'WITHDRAWN'
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0005_people_ask_comment_and_review")]
    operations = [
        migrations.AddField(
            model_name="promotion",
            name="ended_by",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.RunSQL(_FROM_THE_TRAIL, migrations.RunSQL.noop),
    ]
