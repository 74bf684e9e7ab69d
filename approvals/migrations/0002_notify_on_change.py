"""Tell open pages which promotion changed: its id on the channel `countersign`, after the commit.

Only what pages show as news counts; a plan that was merely made again (every minute, for each open
promotion) does not.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION approvals_tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'approvals_promotion' THEN
        PERFORM pg_notify('countersign', NEW.id::text);
    ELSE
        PERFORM pg_notify('countersign', NEW.promotion_id::text);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_new_promotion AFTER INSERT ON approvals_promotion
    FOR EACH ROW EXECUTE FUNCTION approvals_tell_change();
CREATE TRIGGER tell_changed_promotion AFTER UPDATE ON approvals_promotion
    FOR EACH ROW WHEN (
        (OLD.status, OLD.status_at, OLD.status_reason, OLD.seal, OLD.expires_at, OLD.attempts, OLD.commit,
         OLD.next_attempt_at)
        IS DISTINCT FROM
        (NEW.status, NEW.status_at, NEW.status_reason, NEW.seal, NEW.expires_at, NEW.attempts, NEW.commit,
         NEW.next_attempt_at)
    ) EXECUTE FUNCTION approvals_tell_change();
CREATE TRIGGER tell_decision AFTER INSERT OR UPDATE ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_tell_change();
CREATE TRIGGER tell_attempt AFTER INSERT OR UPDATE ON approvals_execution
    FOR EACH ROW EXECUTE FUNCTION approvals_tell_change();
"""

BACKWARD = """
DROP TRIGGER tell_new_promotion ON approvals_promotion;
DROP TRIGGER tell_changed_promotion ON approvals_promotion;
DROP TRIGGER tell_decision ON approvals_decision;
DROP TRIGGER tell_attempt ON approvals_execution;
DROP FUNCTION approvals_tell_change();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
