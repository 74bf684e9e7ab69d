"""Create a local account with a role; for an account that exists, add the role."""

import getpass
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from approvals.permissions import Role
from updater import audit
from updater.audit import Actor, AuditKind


class Command(BaseCommand):
    """`manage.py create_person USERNAME --role ROLE [--full-name NAME] [--password-file FILE]`."""

    help = "Create a local account with a role; for an account that exists, add the role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("--full-name", default="")
        parser.add_argument("--role", required=True, choices=[role.value for role in Role])
        parser.add_argument(
            "--password-file", type=Path, help="a file with the password; else it is asked for"
        )

    def handle(self, *_: object, **options: Any) -> None:  # noqa: ANN401  Django's signature
        """Create the account or add the role, and say which."""
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            person = _new_person(options["username"], options["full_name"])
            person.set_password(_valid_password(person, options["password_file"]))
        is_given = give_role(person=person, role=Role(options["role"]), by=_operator())
        outcome = "now has" if is_given else "already had"
        self.stdout.write(f"{person.username} {outcome} the role {options['role']}.")


@transaction.atomic
def give_role(*, person: User, role: Role, by: Actor) -> bool:
    """Save the person with the role and record it; return False if they had it already."""
    person.save()
    if person.groups.filter(name=role.value).exists():
        return False
    person.groups.add(Group.objects.get_or_create(name=role.value)[0])
    details = {"person": person.username, "role": role.value}
    audit.record(kind=AuditKind.ROLE_GIVEN, by=by, details=details)
    return True


def _new_person(username: str, full_name: str) -> User:
    first_name, _, last_name = full_name.partition(" ")
    person = User(username=username, first_name=first_name, last_name=last_name)
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        raise CommandError(f"This account cannot be made: {' '.join(error.messages)}") from error
    return person


def _valid_password(person: User, file: Path | None) -> str:
    try:
        password = file.read_text(encoding="utf-8").strip() if file else _asked_password()
        validate_password(password, person)
    except OSError as error:
        raise CommandError(f"The password file cannot be read: {error}") from error
    except ValidationError as error:
        raise CommandError(f"This password will not do. {' '.join(error.messages)}") from error
    return password


def _asked_password() -> str:
    if not sys.stdin.isatty():
        raise CommandError("Name a file with the password: --password-file FILE.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("The same again: "):
        raise CommandError("The two passwords differ.")
    return password


def _operator() -> Actor:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = f"uid {os.getuid()}"
    return Actor(name=name, kind="person", via="command")
