"""Keep why a hold was released, and tell open pages about holds and comments.

A hold may change what any page says, so its news is the empty payload: everything may have changed.
"""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION approvals_tell_everything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('countersign', '');
    RETURN NULL;
END $$;

CREATE TRIGGER tell_hold AFTER INSERT OR UPDATE ON approvals_hold
    FOR EACH STATEMENT EXECUTE FUNCTION approvals_tell_everything();
CREATE TRIGGER tell_comment AFTER INSERT ON approvals_comment
    FOR EACH ROW EXECUTE FUNCTION approvals_tell_change();
"""

BACKWARD = """
DROP TRIGGER tell_hold ON approvals_hold;
DROP TRIGGER tell_comment ON approvals_comment;
DROP FUNCTION approvals_tell_everything();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0006_who_ended_a_promotion")]
    operations = [
        migrations.AddField(
            model_name="hold",
            name="release_reason",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
