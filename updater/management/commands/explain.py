"""`manage.py explain …`: says as JSON how an Application is understood, which tag wins, what is written."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from updater import clock, scanning
from updater.errors import UpdaterError
from updater.explain import application, tags, write_back

Explained = tuple[dict[str, Any], int]
_SUBJECTS = {"application": application, "tags": tags, "write-back": write_back}


class Command(BaseCommand):
    """Prints one JSON document; exit status 1 when what it explains cannot be used."""

    help = "Explain a configuration, a choice of tag or a write-back, without changing anything."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare a subcommand for each subject."""
        subjects = parser.add_subparsers(dest="subject", required=True)
        for name, module in _SUBJECTS.items():
            summary = (module.__doc__ or "").partition("\n")[0]
            module.add_arguments(subjects.add_parser(name, help=summary))

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401  Django's signature
        """Explain the subject."""
        try:
            document, status = self._run(options)
        except UpdaterError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(document, indent=2))
        if status:
            sys.exit(status)

    @staticmethod
    def _run(options: dict[str, Any]) -> Explained:
        if options["subject"] == "tags":
            # No database may be at hand where a manifest is linted: this machine's clock will do.
            return tags.run(options, fetch=scanning.fetch_for_explain, at=clock.system_time())
        explained: Explained = _SUBJECTS[options["subject"]].run(options)
        return explained
