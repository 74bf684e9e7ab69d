"""The audit trail numbers, times and chains its own rows, and refuses every other change.

The chain: hash = sha256(previous_hash | sequence | time | the row's texts), fields parted by the unit
separator. `manage.py verify audit` computes the same. ENABLE ALWAYS: a replication role does not skip it.
"""

from django.db import migrations

FORWARD = r"""
CREATE FUNCTION updater_audit_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    -- One writer at a time, until its transaction ends: no gap, no fork.
    PERFORM pg_advisory_xact_lock(4270301);
    SELECT sequence, hash INTO last FROM updater_auditevent ORDER BY sequence DESC LIMIT 1;
    NEW.sequence := coalesce(last.sequence, 0) + 1;
    NEW.previous_hash := coalesce(last.hash, '');
    NEW.at := clock_timestamp();
    NEW.hash := encode(sha256(convert_to(concat_ws(chr(31),
        NEW.previous_hash, NEW.sequence::text,
        to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        NEW.kind, NEW.actor, NEW.actor_kind, NEW.via, NEW.address, NEW.request_id,
        NEW.application, NEW.image, NEW.promotion, NEW.details), 'UTF8')), 'hex');
    RETURN NEW;
END $$;

CREATE FUNCTION updater_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_append BEFORE INSERT ON updater_auditevent
    FOR EACH ROW EXECUTE FUNCTION updater_audit_append();
CREATE TRIGGER audit_refuse_change BEFORE UPDATE OR DELETE ON updater_auditevent
    FOR EACH ROW EXECUTE FUNCTION updater_audit_refuse();
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON updater_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION updater_audit_refuse();
ALTER TABLE updater_auditevent ENABLE ALWAYS TRIGGER audit_append;
ALTER TABLE updater_auditevent ENABLE ALWAYS TRIGGER audit_refuse_change;
ALTER TABLE updater_auditevent ENABLE ALWAYS TRIGGER audit_refuse_truncate;
"""

BACKWARD = """
DROP TRIGGER audit_append ON updater_auditevent;
DROP TRIGGER audit_refuse_change ON updater_auditevent;
DROP TRIGGER audit_refuse_truncate ON updater_auditevent;
DROP FUNCTION updater_audit_append();
DROP FUNCTION updater_audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("updater", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
