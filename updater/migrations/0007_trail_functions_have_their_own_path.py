"""The trail's functions look for its table in its own schema, whatever search_path the session has set.

A session may make a temporary table of the same name, which PostgreSQL finds first: the chain would go on from there.
"""

from django.db import migrations

FORWARD = """
DO $$ BEGIN
    EXECUTE format(
        'ALTER FUNCTION updater_audit_append() SET search_path = pg_catalog, %I, pg_temp', current_schema());
    EXECUTE format(
        'ALTER FUNCTION updater_audit_refuse() SET search_path = pg_catalog, %I, pg_temp', current_schema());
END $$;
"""
BACKWARD = """
ALTER FUNCTION updater_audit_append() RESET search_path;
ALTER FUNCTION updater_audit_refuse() RESET search_path;
"""


class Migration(migrations.Migration):
    dependencies = [("updater", "0006_leases_of_all_regular_work")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
