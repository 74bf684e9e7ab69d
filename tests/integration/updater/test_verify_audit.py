"""`manage.py verify audit` passes a whole trail and names the first broken event."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.builders import make_event
from updater import chain
from updater.models import AuditEvent

pytestmark = pytest.mark.django_db


def test_verify_audit_of_a_whole_trail_counts_it():
    make_event()
    make_event()
    out = StringIO()

    call_command("verify", "audit", stdout=out)

    assert out.getvalue().startswith("2 events verified")


def test_verify_audit_of_a_changed_row_names_it():
    make_event()
    make_event()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE updater_auditevent DISABLE TRIGGER audit_refuse_change")
        cursor.execute("UPDATE updater_auditevent SET actor = 'other' WHERE sequence = 1")

    with pytest.raises(CommandError, match="event 1"):
        call_command("verify", "audit")


def test_d15_verify_audit_after_the_clock_went_back_is_whole_and_says_so():
    make_event()
    make_event()
    rows = list(AuditEvent.objects.order_by("sequence"))
    rows[1].at = rows[0].at - timedelta(hours=1)
    rows[1].hash = chain.hash_of(rows[1])

    found = chain.verify(rows)

    assert (found.broken_at, found.backwards) == (None, (2,))
    assert found.note.startswith("The database's clock went back before event 2")


def test_d16_verify_audit_of_an_empty_trail_says_that_there_is_none():
    out = StringIO()

    call_command("verify", "audit", stdout=out)

    assert out.getvalue().strip() == "0 events verified, head none"
