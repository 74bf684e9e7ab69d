"""The approval policy from a shell: check a file, load it, explain what holds, replay it over the past."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from approvals import policy
from approvals.management import arguments
from approvals.management.terminal import plain
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import asking, checking, durations, reading, replaying, words
from approvals.policy.document import Document
from approvals.policy.gating import Gate
from updater import clock
from updater.audit import Actor
from updater.models import Application


class Command(BaseCommand):
    """`manage.py policy check FILE | load | explain APPLICATION | replay FILE --since T`."""

    help = "Check, load, explain or replay the approval policy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the four verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        check = verbs.add_parser("check", help="say what is wrong in a policy file")
        check.add_argument("file", type=Path)
        verbs.add_parser("load", help="load POLICY_FILE now instead of at the next sweep")
        explain = verbs.add_parser("explain", help="say what holds for an Application, and why")
        explain.add_argument("application", help="namespace/name")
        explain.add_argument("--image", default="", help="alias of one image")
        explain.add_argument("--user", default="", help="username to explain it for")
        explain.add_argument("--at", type=arguments.at, help="a time, as 2026-12-24T10:00+01:00")
        replay = verbs.add_parser("replay", help="say what a file would have done since a time")
        replay.add_argument("file", type=Path)
        replay.add_argument("--since", required=True, help="a time, or a duration as 30d")

    def handle(self, *_: object, verb: str, **options: Any) -> None:  # noqa: ANN401  Django's signature
        """Do what the verb says."""
        {
            "check": self._check,
            "load": self._load,
            "explain": self._explain,
            "replay": self._replay,
        }[verb](options)

    def _check(self, options: dict[str, Any]) -> None:
        document = _read(options["file"])
        for note in checking.notes(document):
            self.stdout.write(f"note: {note}")
        self.stdout.write(f"{options['file']} is a policy with {len(document.rules)} rules.")

    def _load(self, options: dict[str, Any]) -> None:  # noqa: ARG002  takes none
        if not settings.POLICY_FILE:
            raise CommandError("Set POLICY_FILE to the path of the policy file.")
        row = policy.load(by=Actor(name="command", via="command"), at=clock.now())
        if row is not None and row.problem:
            raise CommandError(row.problem)
        self.stdout.write(f"The policy {policy.current().name} stands.")

    def _explain(self, options: dict[str, Any]) -> None:
        application = _application(options["application"])
        person = arguments.person(options["user"]) if options["user"] else None
        at = options["at"] or clock.now()
        self._tell_policy(application, at)
        promotions = _open_promotions(application, options["image"])
        gates = policy.gates_of(promotions, at=at)
        standings = policy.explain_all(promotions, person, at=at)
        for promotion in promotions:
            self.stdout.write(f"\n{promotion} ({promotion.get_status_display().lower()})")
            self._tell_standing(standings[promotion.pk], for_whom=options["user"])
            self._tell_gates(gates[promotion.pk])
        if not promotions:
            self.stdout.write("\nNo promotion is open.")

    def _tell_policy(self, application: Application, at: datetime) -> None:
        standing = policy.current()
        since = f", loaded {standing.loaded_at:%Y-%m-%d %H:%M} UTC" if standing.loaded_at else ""
        version = policy.version_of(application)
        self.stdout.write(f"{application}: policy {standing.name}{since}; sealed as {version}")
        for problem in filter(None, (standing.closed, standing.problem)):
            self.stdout.write(self.style.WARNING(problem))
        for line in words.lines(policy.effective_of(application), at=at):
            origins = f"  [{', '.join(line.origins)}]" if line.origins else ""
            self.stdout.write(f"  {line.name:<24}{line.value}{origins}")

    def _tell_standing(self, standing: policy.Standing, *, for_whom: str) -> None:
        for quorum in standing.quorums:
            given = ", ".join(quorum.given) or "nobody yet"
            eligible = ", ".join(quorum.eligible) or "nobody"
            self.stdout.write(
                f"  {quorum.name}: {len(quorum.given)} of {quorum.needed} ({given}); "
                f"could still approve: {eligible}"
            )
        for excluded in standing.excluded:
            self.stdout.write(plain(f"  not by {excluded.username}: {excluded.why}"))
        for sentence in (*standing.unsatisfiable, *standing.unknown):
            self.stdout.write(self.style.WARNING(plain(f"  {sentence}")))
        if for_whom:
            answer = "can approve" if standing.can_approve else "cannot approve"
            self.stdout.write(
                plain(f"  {for_whom} {answer}. {' '.join(standing.reasons)}".rstrip())
            )

    def _tell_gates(self, gates: Iterable[Gate]) -> None:
        for gate in gates:
            rule = f"  [{gate.rule}]" if gate.rule else ""
            self.stdout.write(plain(f"  {gate.name:<12}{gate.word:<12}{gate.text}{rule}"))

    def _replay(self, options: dict[str, Any]) -> None:
        document = _read(options["file"])
        since = _since(options["since"], clock.now())
        rows = list(
            Promotion.objects.with_target()
            .filter(created_at__gte=since)
            .prefetch_related("decisions__by")
            .order_by("created_at")
        )
        findings = list(asking.replay(rows, document, at=clock.now()))
        counts = Counter(finding.outcome for finding in findings)
        for finding in findings:
            self.stdout.write(
                f"{finding.outcome:<14}{finding.promotion} of {finding.promotion.created_at:%Y-%m-%d}: "
                f"{finding.sentence} [{finding.rule}]"
            )
        told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in replaying.Outcome)
        self.stdout.write(f"{len(rows)} promotions since {since:%Y-%m-%d %H:%M} UTC: {told}.")


def _read(path: Path) -> Document:
    try:
        return reading.read(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except reading.PolicyFileError as error:
        raise CommandError("\n".join(f"{path}: {problem}" for problem in error.problems)) from error


def _application(name: str) -> Application:
    namespace, slash, short = name.partition("/")
    rows = Application.objects.present()
    found = rows.filter(namespace=namespace, name=short) if slash else rows.filter(name=name)
    if len(found) != 1:
        raise CommandError(f"{len(found)} Applications are called {name}; write namespace/name.")
    return found[0]


def _open_promotions(application: Application, alias: str) -> list[Promotion]:
    rows = Promotion.objects.with_target().filter(
        application=application, status__in=Status.alive()
    )
    return list(rows.filter(tracked_image__alias=alias) if alias else rows)


def _since(text: str, now: datetime) -> datetime:
    try:
        return now - timedelta(seconds=durations.seconds_of(text))
    except ValueError:
        pass
    try:
        return arguments.moment(text)
    except ValueError as error:
        raise CommandError(f"--since {text} is no time; write 30d or 2026-05-01") from error
