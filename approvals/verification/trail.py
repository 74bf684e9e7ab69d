"""I5: the audit trail tells every change of state once, in order, and nothing that did not happen. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from approvals.verification.facts import EventFacts, PromotionFacts
from approvals.verification.findings import Finding

OPENED = "promotion.opened"
STARTED, COMMITTED = "execution.started", "override.committed"


@dataclass(slots=True)
class _Life:
    """What the trail told about one promotion so far."""

    status: str = ""
    starts: int = 0
    commits: list[str] = field(default_factory=list)
    is_broken: bool = False  # told once; what follows from it is not told again


def check(
    events: Iterable[EventFacts],
    promotions: Mapping[str, PromotionFacts],
    attempts: Mapping[str, int],
    requests: Collection[str] = frozenset(),
) -> Iterator[Finding]:
    """Walk the events of all promotions in order, and compare where they lead with the rows.

    What people asked for has the id of the promotion that may come of it: events of `requests` are about those.
    """
    lives: dict[str, _Life] = {}
    for event in events:
        if event.promotion not in promotions and event.promotion in requests:
            continue
        if event.promotion not in promotions:
            about = f"event {event.sequence}"
            yield Finding(
                "I5", about, f"{event.kind} is about {event.promotion}: no such promotion."
            )
            continue
        life = lives.setdefault(event.promotion, _Life())
        yield from _follow(life, event)
    for promotion in promotions.values():
        life = lives.get(promotion.id, _Life())
        yield from _compare(promotion, life, attempts.get(promotion.id, 0))


def _follow(life: _Life, event: EventFacts) -> Iterator[Finding]:
    before, after = event.details.get("from"), event.details.get("to")
    if event.kind == OPENED:
        if life.status:
            yield _broken(life, event, f"{event.kind} is told a second time")
        life.status = "PENDING"
    elif before and after:
        if before != life.status and not life.is_broken:
            had = life.status or "nothing"
            yield _broken(
                life, event, f"{event.kind} leads from {before}, and {had} was told before"
            )
        life.status = str(after)
    if event.kind == STARTED:
        life.starts += 1
    if event.kind == COMMITTED:
        life.commits.append(str(event.details.get("commit")))


def _broken(life: _Life, event: EventFacts, sentence: str) -> Finding:
    life.is_broken = True
    return Finding("I5", f"event {event.sequence}", f"{sentence} (promotion {event.promotion}).")


def _compare(promotion: PromotionFacts, life: _Life, attempts: int) -> Iterator[Finding]:
    if not life.status:
        yield Finding("I5", promotion.name, "The trail does not tell that it was opened.")
    elif life.status != promotion.status:
        sentence = f"It is {promotion.status}, and the trail leads to {life.status}."
        yield Finding("I5", promotion.name, sentence)
    if life.starts != attempts:
        sentence = f"{attempts} attempts stand in the ledger, {life.starts} in the trail."
        yield Finding("I5", promotion.name, sentence)
    told = [promotion.commit] if promotion.commit and not promotion.is_pull_request else []
    if not promotion.is_pull_request and life.commits != told:
        many = ", ".join(commit[:10] for commit in life.commits) or "none"
        sentence = (
            f"It is recorded as {promotion.commit[:10] or 'not written'}, the trail tells {many}."
        )
        yield Finding("I5", promotion.name, sentence)
