"""Computes the audit trail's hash chain again and names the first row that does not fit."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from updater import chain


class Command(BaseCommand):
    """`manage.py verify_audit`: exit status 0 only when every row was checked and fits."""

    help = "Verify that the audit trail has no gap and that its hash chain is whole."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002  Django's signature
        """Verify the chain."""
        found = chain.verify()
        if found.broken_at is not None:
            raise CommandError(f"The trail is broken at event {found.broken_at}.")
        self.stdout.write(f"{found.count} events verified, head {found.head or 'none'}")
