"""D01: web and workers read and write rows of every table, and of the trail only add; one command sees to it."""

import re

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from tests import roles
from updater import audit
from updater.audit import Actor, AuditKind
from updater.database_role import TRAIL, granting, starting
from updater.models import AuditEvent

CHANGES = {
    "update": "UPDATE updater_auditevent SET actor = 'other'",
    "delete": "DELETE FROM updater_auditevent",
    "truncate": f"TRUNCATE {TRAIL}",
    "upsert": """INSERT INTO updater_auditevent SELECT * FROM updater_auditevent
        ON CONFLICT (sequence) DO UPDATE SET actor = 'other'""",
    "drop-table": f"DROP TABLE {TRAIL}",
    "drop-trigger": f"DROP TRIGGER audit_refuse_change ON {TRAIL}",
    "disable-trigger": f"ALTER TABLE {TRAIL} DISABLE TRIGGER audit_refuse_change",
    "own-trigger": f"""CREATE TRIGGER mine BEFORE INSERT ON {TRAIL}
        FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()""",
    "replace-function": """CREATE OR REPLACE FUNCTION updater_audit_refuse() RETURNS trigger
        LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'""",
    "lock": f"LOCK TABLE {TRAIL} IN ACCESS EXCLUSIVE MODE",
    "replica": "SET session_replication_role = replica",
    "become-owner": "SET ROLE pg_database_owner",
    "take-ownership": f"ALTER TABLE {TRAIL} OWNER TO CURRENT_USER",
    "create-table": "CREATE TABLE mine (number int)",
    "truncate-another": "TRUNCATE updater_turn",
    "forget-a-migration": "DELETE FROM django_migrations",
}

FORGED = """INSERT INTO public.updater_auditevent
    (kind, actor, actor_kind, via, address, request_id, application, image, promotion, details)
    VALUES ('x', 'mallory', 'person', 'page', '', '', '', '', '', '{}')"""
REFUSED = re.compile("permission denied|must be owner")


@pytest.fixture
def signed_in(probe):
    """Work as the role that a deployment makes, and leave nothing."""
    with roles.signed_in_as(probe, roles.PASSWORD), transaction.atomic():
        yield
        transaction.set_rollback(True)


def _record():
    with transaction.atomic():
        return audit.record(kind=AuditKind.CANDIDATE_FOUND, by=Actor("mei"))


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
def test_d01_change_of_the_trail_by_the_role_of_the_product_is_refused(signed_in, statement):
    _record()

    with (
        pytest.raises(DatabaseError, match=REFUSED),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert AuditEvent.objects.get(sequence=1).actor == "mei"


def test_d01_temporary_table_of_the_same_name_does_not_lead_the_chain_astray(signed_in):
    _record()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {TRAIL} (LIKE public.{TRAIL})")
        cursor.execute(FORGED)
        cursor.execute(f"DROP TABLE pg_temp.{TRAIL}")

    first, second = AuditEvent.objects.order_by("sequence")
    assert (second.sequence, second.previous_hash) == (2, first.hash)


def _rights(table):
    words = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word FROM unnest(%s::text[]) AS word WHERE has_table_privilege(%s, word)",
            [list(words), table],
        )
        return {word for (word,) in cursor.fetchall()}


def test_grant_covers_every_table_of_every_installed_app(signed_in):
    managed = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    fewer = {TRAIL: {"SELECT", "INSERT"}, "django_migrations": {"SELECT"}}
    tables = {model._meta.db_table for model in managed} | set(fewer)

    found = {table: _rights(table) for table in tables}

    rows = {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert found == {table: fewer.get(table, rows) for table in tables}
    assert {"django_session", "axes_accessattempt", "auth_user_groups"} <= tables


def test_grant_needs_no_sequence_as_all_belong_to_identity_columns(db):
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'i')
        """)
        assert cursor.fetchall() == []


def test_grant_again_gives_what_is_missing_and_takes_what_is_too_much(run, probe):
    run(f"GRANT ALL ON {TRAIL} TO {{role}}")
    run("REVOKE ALL ON updater_turn FROM {role}")

    granting.grant(probe)

    with roles.signed_in_as(probe, roles.PASSWORD):
        assert _rights("updater_turn") == {"SELECT", "INSERT", "UPDATE", "DELETE"}
        assert starting.look().faults == ()


def test_make_role_again_leaves_the_password_of_the_role(probe):
    granting.make_role(probe, "another")

    with connection.cursor() as cursor:
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [probe])
        (hashed,) = cursor.fetchone()
    assert hashed.startswith("SCRAM-SHA-256$")
