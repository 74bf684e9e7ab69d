"""What a person can do to a promotion and why not, from a shell: the same answer as page and API give."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from approvals import decisions, waiting
from approvals.decisions import Offer, Situation
from approvals.management import arguments
from approvals.management.terminal import plain
from approvals.models import Promotion
from approvals.permissions import Action
from approvals.policy import Gate, Reason
from updater import clock


class Command(BaseCommand):
    """`manage.py explain_promotion ID --user NAME [--at TIME] [--json]`."""

    help = "Say what a person can do to a promotion and why not, and which gates it waits for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("promotion", type=UUID, help="the id that stands in its address")
        parser.add_argument("--user", required=True, help="username to explain it for")
        parser.add_argument("--at", type=arguments.at, help="a time, as 2026-12-24T10:00+01:00")
        parser.add_argument("--json", action="store_true", help="print what the API answers")

    def handle(self, *_: object, **options: Any) -> None:  # noqa: ANN401  Django's signature
        """Print the offers."""
        promotion, person = _promotion(options["promotion"]), arguments.person(options["user"])
        situation = Situation(promotion, person, options["at"] or clock.now())
        offers = decisions.offers(situation)
        if options["json"]:
            self.stdout.write(json.dumps([offer.as_dict() for offer in offers], indent=2))
            return
        self.stdout.write(f"{promotion} ({promotion.get_status_display().lower()})")
        for offer in offers:
            self._tell(offer)
        if situation.may(Action.VIEW):
            self._tell_gates(waiting.gates(promotion, at=situation.at))

    def _tell_gates(self, gates: Iterable[Gate]) -> None:
        for gate in gates:
            self.stdout.write(plain(f"  Gate {gate.name:<15}{gate.word.lower()}: {gate.text}"))
            for name, value in () if gate.is_open else _behind(gate.reason):
                self.stdout.write(plain(f"      {name}: {value}"))

    def _tell(self, offer: Offer) -> None:
        answer = "possible" if offer.is_possible else "off"
        self.stdout.write(f"  {offer.label:<20}{answer}")
        self._tell_reasons(offer.reasons, depth=2)

    def _tell_reasons(self, reasons: Iterable[Reason], *, depth: int) -> None:
        for reason in reasons:
            self.stdout.write(plain(f"{'  ' * depth}{reason.sentence}"))
            for name, value in _behind(reason):
                self.stdout.write(plain(f"{'  ' * depth}  {name}: {value}"))
            self._tell_reasons(reason.because, depth=depth + 1)


def _behind(reason: Reason) -> Iterable[tuple[str, str]]:
    known = {
        "rule": reason.rule,
        "fact": reason.fact,
        "seen": _in_words(reason.fact_at),
        "who can change it": reason.who,
        "may change by itself": _in_words(reason.changes_at),
    }
    return ((name, value) for name, value in known.items() if value)


def _in_words(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else ""


def _promotion(promotion_id: UUID) -> Promotion:
    promotion = Promotion.objects.with_target().filter(pk=promotion_id).first()
    if promotion is None:
        raise CommandError("There is no such promotion.")
    return promotion
