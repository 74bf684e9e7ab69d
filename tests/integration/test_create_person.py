"""The command that makes local accounts."""

import json
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from approvals.permissions import Role, roles_of
from updater import audit
from updater.models import AuditEvent

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough password"


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return file


def _create(username="mei", role="approver", **options):
    out = StringIO()
    call_command("create_person", username, role=role, stdout=out, **options)
    return out.getvalue()


def test_create_person_when_new_makes_an_account_that_can_sign_in(password_file):
    said = _create(full_name="Mei Tanaka", password_file=password_file)

    mei = User.objects.get(username="mei")
    assert mei.get_full_name() == "Mei Tanaka"
    assert mei.check_password(PASSWORD)
    assert roles_of(mei) == {Role.APPROVER}
    assert said == "mei now has the role approver.\n"


def test_create_person_records_who_gave_the_role(password_file):
    _create(password_file=password_file)

    event = AuditEvent.objects.get(kind="role.given")
    assert (event.actor_kind, event.via) == ("person", "command")
    assert event.actor
    assert json.loads(event.details) == {"person": "mei", "role": "approver"}


def test_create_person_when_the_account_exists_adds_the_role_and_keeps_the_password(password_file):
    _create(password_file=password_file)

    _create(role="auditor")

    mei = User.objects.get(username="mei")
    assert roles_of(mei) == {Role.APPROVER, Role.AUDITOR}
    assert mei.check_password(PASSWORD)
    assert AuditEvent.objects.filter(kind="role.given").count() == 2


def test_create_person_when_nothing_changes_records_nothing(password_file):
    _create(password_file=password_file)

    said = _create()

    assert said == "mei already had the role approver.\n"
    assert AuditEvent.objects.filter(kind="role.given").count() == 1


def test_create_person_when_the_trail_cannot_be_written_makes_no_account(
    password_file, monkeypatch
):
    def refuse(**_event):
        raise DatabaseError("the trail is full")

    monkeypatch.setattr(audit, "record", refuse)

    with pytest.raises(DatabaseError, match="the trail is full"):
        _create(password_file=password_file)

    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("password", "complaint"),
    [("short", "at least 12"), ("password1234", "too common"), (None, "cannot be read")],
    ids=["short", "common", "no-file"],
)
def test_create_person_when_the_password_will_not_do_makes_no_account(
    tmp_path, password, complaint
):
    file = tmp_path / "password"
    if password is not None:
        file.write_text(password, encoding="utf-8")

    with pytest.raises(CommandError, match=complaint):
        _create(password_file=file)

    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("username", "full_name"),
    [("no blanks here", "x"), ("x" * 151, "x"), ("mei", "y" * 151)],
    ids=["blank", "long-name", "long-full-name"],
)
def test_create_person_when_the_name_will_not_do_makes_no_account(
    password_file, username, full_name
):
    with pytest.raises(CommandError, match="cannot be made"):
        _create(username, full_name=full_name, password_file=password_file)

    assert not User.objects.exists()


def test_create_person_without_terminal_and_file_says_what_to_give():
    with pytest.raises(CommandError, match="--password-file"):
        _create()


def test_create_person_when_the_role_is_unknown_is_refused(password_file):
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("create_person", "mei", "--role=king", f"--password-file={password_file}")


def test_create_person_with_groups_joins_them_once_and_records_each(password_file):
    said = _create(group=["sre", "leads"], email="mei@acme.example", password_file=password_file)
    again = _create(group=["sre"])

    mei = User.objects.get(username="mei")
    assert {group.name for group in mei.groups.all()} == {"approver", "sre", "leads"}
    assert mei.email == "mei@acme.example"
    assert "mei is now in the group leads." in said
    assert "mei was already in the group sre." in again
    assert AuditEvent.objects.filter(kind="group.joined").count() == 2


@pytest.mark.parametrize("name", ["administrator", "", "x" * 151], ids=["role", "empty", "long"])
def test_create_person_with_a_group_that_will_not_do_makes_no_account(password_file, name):
    with pytest.raises(CommandError, match=r"--role|1 to 150"):
        _create(group=[name], password_file=password_file)

    assert not User.objects.filter(username="mei").exists()
