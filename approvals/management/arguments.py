"""Arguments that several commands take: a time, a person."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.core.management.base import CommandError


def moment(text: str) -> datetime:
    """Return a time; without a zone it is UTC.

    Raises:
        ValueError: it is no time.
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def at(text: str) -> datetime:
    """Return the time of an `--at`, for argparse."""
    try:
        return moment(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no time; write 2026-12-24T10:00+01:00") from error


def person(username: str) -> User:
    """Return the account of this name.

    Raises:
        CommandError: there is none.
    """
    found = User.objects.filter(username=username).first()
    if found is None:
        raise CommandError(f"There is no account {username}.")
    return found
