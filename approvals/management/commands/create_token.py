"""Makes an API token for a person and prints it once."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals import tokens
from updater.audit import Actor


class Command(BaseCommand):
    """`manage.py create_token USER`."""

    help = "Make an API token for a person. It is printed once and stored hashed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the username and what the token is for."""
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what the token is for")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002  Django's signature
        """Make the token."""
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active person {options['username']}.")
        by = Actor(name=options["username"], kind="person", via="command")
        self.stdout.write(tokens.issue(user=user, name=options["name"], by=by))
