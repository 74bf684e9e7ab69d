"""`manage.py verify_audit` passes a whole trail and names the first broken event."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.builders import make_event

pytestmark = pytest.mark.django_db


def test_verify_audit_of_a_whole_trail_counts_it():
    make_event()
    make_event()
    out = StringIO()

    call_command("verify_audit", stdout=out)

    assert out.getvalue().startswith("2 events verified")


def test_verify_audit_of_a_changed_row_names_it():
    make_event()
    make_event()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE updater_auditevent DISABLE TRIGGER audit_refuse_change")
        cursor.execute("UPDATE updater_auditevent SET actor = 'other' WHERE sequence = 1")

    with pytest.raises(CommandError, match="event 1"):
        call_command("verify_audit")
