"""Chooses one tag and gives every tag its verdict. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from updater.errors import PermanentError
from updater.selection import orders
from updater.selection.comparing import is_downgrade
from updater.selection.filtering import TagFilter, shown_tag
from updater.selection.model import Choice, Rules, Strategy, TagFacts, Verdict
from updater.selection.orders import Order

_CONSTRAINED = frozenset({Strategy.SEMVER, Strategy.DIGEST})


def select(
    tags: Sequence[TagFacts],
    rules: Rules,
    *,
    running: str | None = None,
    sort_mode: str = "",
    at: datetime | None = None,
    exact: bool = False,
) -> Choice:
    """Choose the newest allowed tag; every tag gets a verdict, in the order given.

    `running` is only used for words. With `at`, builds from the future are not trusted; `exact`
    trusts them, takes tags no registry could hold, and makes no error of a bad `allow-tags`.
    """
    tag_filter = TagFilter(rules, exact=exact)
    try:
        order = orders.order_of(rules, sort_mode=sort_mode, at=None if exact else at)
    except PermanentError as error:
        return _nothing(tags, tag_filter, str(error))
    objections = [_objection(facts, tag_filter, order, rules) for facts in tags]
    accepted = [facts for facts, objection in zip(tags, objections, strict=True) if not objection]
    chosen = max(accepted, key=order.key, default=None)
    wording = _Wording(order, chosen, running, _notes(chosen, rules, tags, running))
    verdicts = tuple(map(wording.verdict, tags, objections))
    return Choice(chosen, None if exact else tag_filter.problem, verdicts)


def _objection(facts: TagFacts, tag_filter: TagFilter, order: Order, rules: Rules) -> str | None:
    objection = tag_filter.objection(facts.name) or order.objection(facts)
    if objection is None and facts.digest in rules.refused:
        return (
            f"refused before: {facts.digest} is not offered again until someone lifts the refusal"
        )
    return objection


def _nothing(tags: Sequence[TagFacts], tag_filter: TagFilter, error: str) -> Choice:
    verdicts = (
        Verdict(shown_tag(facts.name), "rejected", tag_filter.objection(facts.name) or error)
        for facts in tags
    )
    return Choice(None, error, tuple(verdicts))


@dataclass(frozen=True, slots=True)
class _Wording:
    """Puts the verdicts of one choice into words."""

    order: Order
    chosen: TagFacts | None
    running: str | None
    notes: str  # what else there is to say of the chosen tag

    def verdict(self, facts: TagFacts, objection: str | None) -> Verdict:
        verdict, reason = self._judged(facts, objection)
        runs = "; it runs now" if facts.name == self.running else ""
        return Verdict(shown_tag(facts.name), verdict, f"{reason}{runs}")

    def _judged(self, facts: TagFacts, objection: str | None) -> tuple[str, str]:
        if objection is not None or self.chosen is None:
            return "rejected", objection or ""
        if facts is self.chosen:
            return "chosen", f"{self.order.praise(facts)}{self.notes}"
        return "candidate", self.order.lag(facts, self.chosen)


def _notes(
    chosen: TagFacts | None, rules: Rules, tags: Sequence[TagFacts], running: str | None
) -> str:
    notes = ""
    if chosen is not None and running is not None:
        live = next((facts for facts in tags if facts.name == running), TagFacts(running))
        if is_downgrade(running, live.created, chosen, rules.strategy):
            notes += f"; a downgrade from {shown_tag(running)}"
    if rules.constraint and rules.strategy not in _CONSTRAINED:
        notes += f"; {rules.strategy} does not look at the constraint {rules.constraint}"
    return notes
