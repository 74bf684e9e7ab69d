"""Create a local account with a role and groups; for an account that exists, add them."""

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
    """`manage.py create_person USERNAME --role ROLE [--group GROUP …] [--full-name NAME] [--email ADDRESS]`."""

    help = "Create a local account with a role and groups; for an account that exists, add them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("--full-name", default="")
        parser.add_argument("--email", default="", help="the address in their commits")
        parser.add_argument(
            "--group",
            action="append",
            default=[],
            metavar="GROUP",
            help="a group that the policy file speaks of; may be given several times",
        )
        parser.add_argument("--role", required=True, choices=[role.value for role in Role])
        parser.add_argument(
            "--password-file", type=Path, help="a file with the password; else it is asked for"
        )

    def handle(self, *_: object, **options: Any) -> None:  # noqa: ANN401  Django's signature
        """Create the account or add the role, and say which."""
        groups = [_group_name(name) for name in options["group"]]
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            person = _new_person(options["username"], options["full_name"], options["email"])
            person.set_password(_valid_password(person, options["password_file"]))
        by = _operator()
        is_given = give_role(person=person, role=Role(options["role"]), by=by)
        outcome = "now has" if is_given else "already had"
        self.stdout.write(f"{person.username} {outcome} the role {options['role']}.")
        for name in groups:
            is_new = join_group(person=person, name=name, by=by)
            outcome = "is now" if is_new else "was already"
            self.stdout.write(f"{person.username} {outcome} in the group {name}.")


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


@transaction.atomic
def join_group(*, person: User, name: str, by: Actor) -> bool:
    """Put the person into the group and record it; return False if they were in it already."""
    if person.groups.filter(name=name).exists():
        return False
    person.groups.add(Group.objects.get_or_create(name=name)[0])
    details = {"person": person.username, "group": name}
    audit.record(kind=AuditKind.GROUP_JOINED, by=by, details=details)
    return True


def _group_name(name: str) -> str:
    if name in set(Role):
        raise CommandError(f"{name} is a role; give it with --role.")
    if not 0 < len(name) <= 150:
        raise CommandError("A group's name has 1 to 150 characters.")
    return name


def _new_person(username: str, full_name: str, email: str) -> User:
    first_name, _, last_name = full_name.partition(" ")
    person = User(username=username, first_name=first_name, last_name=last_name, email=email)
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
