"""D03: every way in which a role could change the trail is found, and named."""

import psycopg
import pytest
from django.core.checks import Error
from django.db import connection

from tests import roles
from updater import checks
from updater.database_role import TRAIL, judging

# What makes a role unfit, and what the sentence says of it.
UNFIT = {
    "superuser": ("ALTER ROLE {role} SUPERUSER", "is a superuser"),
    "may-become-superuser": ("GRANT {superuser} TO {role}", "is a superuser"),
    "owner": (f"ALTER TABLE {TRAIL} OWNER TO {{role}}", "owns tables of the product"),
    "may-become-owner": ("ALTER ROLE {role} NOINHERIT; GRANT {owner} TO {role}", "owns tables"),
    "owner-of-another-table": ("ALTER TABLE updater_turn OWNER TO {role}", "owns tables"),
    "owner-of-the-schema": ("ALTER SCHEMA public OWNER TO {role}", "owns the schema"),
    "owner-of-the-database": ("ALTER DATABASE {database} OWNER TO {role}", "or the database"),
    "update": (f"GRANT UPDATE ON {TRAIL} TO {{role}}", "may UPDATE the audit trail"),
    "update-of-one-column": (f"GRANT UPDATE (actor) ON {TRAIL} TO {{role}}", "may UPDATE"),
    "update-for-everybody": (f"GRANT UPDATE ON {TRAIL} TO PUBLIC", "may UPDATE the audit trail"),
    "write-all": ("GRANT pg_write_all_data TO {role}", "may UPDATE the audit trail"),
    "delete": (f"GRANT DELETE ON {TRAIL} TO {{role}}", "may DELETE from the audit trail"),
    "truncate": (f"GRANT TRUNCATE ON {TRAIL} TO {{role}}", "may TRUNCATE the audit trail"),
    "trigger": (f"GRANT TRIGGER ON {TRAIL} TO {{role}}", "may put triggers on the audit trail"),
    "create": ("GRANT CREATE ON SCHEMA public TO {role}", "may create objects in the schema"),
    "createrole": ("ALTER ROLE {role} CREATEROLE", "may make and change roles"),
    "bypassrls": ("ALTER ROLE {role} BYPASSRLS", "is above row security"),
    "replication": ("ALTER ROLE {role} REPLICATION", "may replicate the database"),
    "programs": ("GRANT pg_execute_server_program TO {role}", "may run programs"),
    "replica": (
        "GRANT SET ON PARAMETER session_replication_role TO {role}",
        "may set session_replication_role",
    ),
}


def _judge(role, **elsewhere):
    with psycopg.connect(roles.url_of(role), **elsewhere) as asking:
        return judging.judge(asking.cursor())


def test_judge_finds_no_fault_with_the_role_that_a_deployment_makes(probe):
    judgement = _judge(probe)

    assert judgement == judging.Judgement(probe, finds_trail=True, faults=())
    assert judgement.refusal == ""


@pytest.mark.parametrize(("statement", "words"), UNFIT.values(), ids=UNFIT)
def test_d03_judge_refuses_whoever_could_change_the_trail(run, probe, statement, words):
    run(statement)

    refusal = _judge(probe).refusal

    assert refusal.startswith(f"The database role '{probe}' ")
    assert words in refusal
    assert "DATABASE_OWNER_URL" in refusal


def test_d03_judge_is_not_deceived_by_set_role(run, probe):
    with connection.cursor() as cursor:
        run("SET ROLE {role}")
        judgement = judging.judge(cursor)
        run("RESET ROLE")

    assert judgement.faults == (judging.SUPERUSER,)


def test_judge_of_a_database_without_tables_says_what_to_run(probe):
    refusal = _judge(probe, dbname="postgres").refusal

    assert "finds no audit trail here" in refusal
    assert "prepare_database" in refusal


def test_d03_check_of_a_deployment_names_each_fault(run, probe):
    run(f"GRANT UPDATE, TRUNCATE ON {TRAIL} TO {{role}}")

    with roles.signed_in_as(probe, roles.PASSWORD):
        errors = checks.check_database_role(None, databases=["default"])

    assert all(isinstance(error, Error) for error in errors)
    assert [(error.id, error.msg) for error in errors] == [
        ("updater.E004", f"The database role '{probe}' may UPDATE the audit trail."),
        ("updater.E004", f"The database role '{probe}' may TRUNCATE the audit trail."),
    ]


def test_d03_check_of_a_deployment_refuses_a_superuser(db):
    errors = checks.check_database_role(None, databases=["default"])

    assert [error.id for error in errors] == ["updater.E003"]


def test_d03_check_asks_nothing_without_a_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert checks.check_database_role(None) == []
