"""`manage.py verify executions|audit`: whether commits, approvals and the trail belong together; changes nothing."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals import verification
from approvals.management.terminal import plain
from approvals.verification import Report
from updater import chain
from updater.connections import Connections


class Command(BaseCommand):
    """Exit status 0 when all was checked and fits, 1 for a finding, 2 when something could not be checked."""

    help = "Verify the promises about executions, or the chain of the audit trail. Read-only."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare a subcommand for each subject."""
        subjects = parser.add_subparsers(dest="subject", required=True)
        executions = subjects.add_parser(
            "executions", help="every commit has its approval, every approval its one commit"
        )
        executions.add_argument("--json", action="store_true", help="print one JSON document")
        subjects.add_parser("audit", help="the trail has no gap and its hash chain is whole")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401  Django's signature
        """Verify the subject."""
        if options["subject"] == "audit":
            self._verify_chain()
            return
        report = verification.verify(world=Connections())
        told = json.dumps(report.as_dict(), indent=2) if options["json"] else _in_words(report)
        self.stdout.write(told)
        if report.exit_code:
            sys.exit(report.exit_code)

    def _verify_chain(self) -> None:
        found = chain.verify()
        if found.broken_at is not None:
            raise CommandError(f"The trail is broken at event {found.broken_at}.")
        self.stdout.write(f"{found.count} events verified, head {found.head or 'none'}")
        if found.note:
            self.stdout.write(found.note)


def _in_words(report: Report) -> str:
    lines = []
    for name, sentence in verification.INVARIANTS.items():
        found = [finding for finding in report.findings if finding.invariant == name]
        lines.append(f"{name}: {_verdict(report, name)}  {sentence}")
        lines += [f"    {finding.about}: {finding.sentence}" for finding in found]
    lines += [f"not checked: {item.about}: {item.why}" for item in report.unchecked]
    return "\n".join(map(plain, [*lines, _conclusion(report)]))


def _verdict(report: Report, name: str) -> str:
    count = sum(finding.invariant == name for finding in report.findings)
    return f"{count} VIOLATED" if count else f"{report.checked.get(name, 0)} checked"


def _conclusion(report: Report) -> str:
    if report.findings:
        return f"{len(report.findings)} findings."
    if report.unchecked:
        return f"No finding, and {len(report.unchecked)} things could not be checked."
    return "All holds."
