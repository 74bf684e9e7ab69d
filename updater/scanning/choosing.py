"""From the facts of all tags to what is missing, and to what is offered for one tracked image. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from updater import selection
from updater.images import ImageReference
from updater.scanning.view import ImageView, StandingRefusal
from updater.selection import Choice, Strategy, TagFacts

CLOCK_TOLERANCE = timedelta(minutes=5)  # as in selection: later builds are from the future


@dataclass(frozen=True, slots=True)
class Decision:
    """What came out: an offer, or the reason for none. `chosen` may run already and then is no offer."""

    chosen: TagFacts | None
    is_offer: bool
    reason: str
    error: str = ""
    is_downgrade: bool = False
    holds: bool = True  # False: another look at the same facts may come out differently


def missing(
    view: ImageView, facts: Sequence[TagFacts], unread: Collection[str], *, at: datetime
) -> list[str]:
    """Return the tags whose manifests must be read before a decision can be made."""
    if not _is_wanted(view):
        return []
    rules = view.rules
    if selection.needs_metadata(rules.strategy, view.sort_mode):
        return selection.admit([one.name for one in facts if one.name in unread], rules)[0]
    if selection.needs_digest(rules.strategy):
        return [one.name for one in facts if one.name == rules.constraint and one.name in unread]
    decision = decide(view, facts, at=at)
    if decision.is_offer and decision.chosen and decision.chosen.name in unread:
        return [decision.chosen.name]
    return []


def decide(view: ImageView, facts: Sequence[TagFacts], *, at: datetime) -> Decision:
    """Choose for one image and say whether it is an offer."""
    if not _is_wanted(view):
        return Decision(None, is_offer=False, reason="Argo CD reports no container of this image.")
    rules = view.rules
    choice = selection.select(facts, rules, running=view.live_tag, sort_mode=view.sort_mode, at=at)
    holds = not any(one.created and _is_future(one.created, at) for one in facts)
    if choice.chosen is None:
        reason = "" if choice.error else "No tag passes the filters."
        return Decision(None, is_offer=False, reason=reason, error=choice.error or "", holds=holds)
    is_downgrade = _is_below_live(view, choice.chosen, facts)
    refusal = _standing_in_the_way(view, choice.chosen)
    is_offer = refusal is None and _is_update(view, choice.chosen)
    return Decision(
        choice.chosen,
        is_offer=is_offer,
        reason=_why_not(refusal) if refusal else _why(choice),
        error=choice.error or "",
        is_downgrade=is_offer and is_downgrade,
        holds=holds,
    )


def _is_wanted(view: ImageView) -> bool:
    return bool(view.live) or view.configuration.force_update


def _is_future(created: datetime, at: datetime) -> bool:
    return created > at + CLOCK_TOLERANCE


def _is_update(view: ImageView, chosen: TagFacts) -> bool:
    configured = view.configuration
    wanted = configured.reference if configured.kustomize.name else None
    return selection.is_update(
        _live_to_compare(view, chosen), chosen, configured.strategy, wanted=wanted
    )


def _live_to_compare(view: ImageView, chosen: TagFacts) -> ImageReference | None:
    if view.configuration.strategy is Strategy.DIGEST:
        return selection.live_to_compare(view.live, tag=chosen.name, digest=chosen.digest)
    return view.live[0] if view.live else None


def _is_below_live(view: ImageView, chosen: TagFacts, facts: Sequence[TagFacts]) -> bool:
    running = next((one for one in facts if one.name == view.live_tag), None)
    created = running.created if running else None
    return selection.is_downgrade(view.live_tag, created, chosen, view.configuration.strategy)


def _standing_in_the_way(view: ImageView, chosen: TagFacts) -> StandingRefusal | None:
    strategy = view.configuration.strategy
    for refusal in view.refusals:
        if refusal.until_newer and selection.is_downgrade(
            refusal.tag, refusal.created, chosen, strategy
        ):
            return refusal
    return None


def _why_not(refusal: StandingRefusal) -> str:
    return f"Nothing is newer than {refusal.tag}, which was refused until something newer comes."


def _why(choice: Choice) -> str:
    return next(one.reason for one in choice.verdicts if one.verdict == "chosen")
