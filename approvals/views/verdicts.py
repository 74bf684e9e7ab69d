"""The first line of a promotion's page: can I act, why not, and what happens when I do."""

from dataclasses import dataclass
from datetime import datetime

from approvals import waiting
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import Gate, Standing
from approvals.presenters import times
from approvals.presenters.texts import visible


@dataclass(frozen=True, slots=True)
class Verdict:
    """The line itself: its tone and shape, the claim, and what follows from it."""

    tone: str
    icon: str
    headline: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Tense:
    """How the page speaks of the change: as something to come, under way, done, or never done."""

    before: str
    after: str
    plan: str
    may_change: bool = False  # whether gates and the way back still matter


_TO_COME = Tense("Runs now", "Proposed", "What will be written", may_change=True)
_UNDER_WAY = Tense("Ran before", "On its way", "What is written")
_DONE = Tense("Ran before", "Released", "What was written")
_NEVER = Tense("Ran then", "Was proposed", "What would have been written")
_TENSES = {
    Status.PENDING: _TO_COME,
    Status.APPROVED: _TO_COME,
    Status.EXECUTING: _UNDER_WAY,
    Status.VERIFYING: _UNDER_WAY,
    Status.UNKNOWN: _UNDER_WAY,
    Status.ERRORED: _UNDER_WAY,
    Status.SUCCEEDED: _DONE,
    Status.FAILED: _DONE,
}


def tense_of(promotion: Promotion) -> Tense:
    """Return how to speak of the change in this status."""
    return _TENSES.get(Status(promotion.status), _NEVER)


def of(
    promotion: Promotion,
    standing: Standing,
    *,
    now: datetime,
    closed: Gate | None = None,
    replaced_by: Promotion | None = None,
) -> Verdict:
    """Return the verdict for the person whose standing this is; `closed` is the gate it waits for."""
    status = Status(promotion.status)
    if replaced_by is not None:
        headline = f"It ran. {visible(replaced_by.to_tag)} took its place."
        return Verdict("plain", status, headline, _sentence(promotion, standing))
    if status is Status.PENDING:
        return _pending(promotion, standing, now=now, closed=closed)
    if status is Status.APPROVED and closed is not None:
        headline = f"Approved. It waits for {waiting.awaited(closed)}."
        return Verdict(
            "wait", status, headline, f"{visible(closed.text)} Then it starts by itself."
        )
    if status is Status.EXECUTING and promotion.is_stopping:
        headline = f"{visible(promotion.abort_requested_by)} asked to stop it."
        why = f"The worker looks before it writes. {visible(promotion.abort_reason)}"
        return Verdict("wait", status, headline, why)
    tone, headline = _HEADLINES[status]
    return Verdict(tone, status, headline, _sentence(promotion, standing))


_HEADLINES = {
    Status.APPROVED: ("sign", "Approved. The next worker writes it."),
    Status.EXECUTING: ("run", "A worker writes it now."),
    Status.VERIFYING: ("run", "Written. Waits until Argo CD reports it Synced and Healthy."),
    Status.SUCCEEDED: ("ok", "It runs."),
    Status.FAILED: ("bad", "Deployed, and the release is bad."),
    Status.ERRORED: ("wait", "Stopped: the machinery could not go on."),
    Status.UNKNOWN: (
        "odd",
        "It is not certain what was written. The target is blocked until it is.",
    ),
    Status.REJECTED: (
        "bad",
        "Rejected. This digest is not offered again until someone lifts that.",
    ),
    Status.EXPIRED: ("plain", "Expired. The next scan offers what is newest then."),
    Status.SUPERSEDED: ("plain", "Set aside: another one took its place."),
    Status.WITHDRAWN: ("plain", "Withdrawn. Nothing was written."),
    Status.ABORTED: ("plain", "Aborted before anything was written."),
}


def _pending(
    promotion: Promotion, standing: Standing, *, now: datetime, closed: Gate | None
) -> Verdict:
    until = (
        f"Expires {times.exact_minute(promotion.expires_at)}, "
        f"in {times.long_span(promotion.expires_at - now)}."
    )
    if standing.can_approve:
        last = "Yours is the last approval needed." if standing.missing <= 1 else ""
        what = " ".join(filter(None, (_what_happens(promotion, standing, closed), until)))
        return Verdict("sign", "APPROVED", f"You can approve. {last}".strip(), what)
    first, *rest = standing.reasons or (standing.next_step,)
    return Verdict(
        "wait", "PENDING", f"You cannot approve this one: {first}", " ".join([*rest, until])
    )


def _what_happens(promotion: Promotion, standing: Standing, closed: Gate | None) -> str:
    if standing.missing > 1:
        return standing.next_step
    if closed is not None:
        return f"Does not run at once. {visible(closed.text)}"
    plan = promotion.plan
    if plan.get("pull_request"):
        base = visible(str(plan.get("base_branch", "")))
        return f"Runs at once: a pull request to {base}; merged there, Argo CD follows."
    if plan.get("method") == "git":
        branch = visible(str(plan.get("branch", "")))
        follows = "Argo CD syncs" if promotion.application.is_automated else "somebody must sync"
        return f"Runs at once: one commit to {branch}, then {follows}."
    return "Runs at once: one patch of the Application, no commit."


def _sentence(promotion: Promotion, standing: Standing) -> str:
    said = visible(promotion.status_reason)
    if promotion.status in (Status.SUCCEEDED, Status.FAILED) and promotion.ended_at:
        since = promotion.approved_at or promotion.created_at
        took = times.long_span(promotion.ended_at - since)
        return f"{said} {took} after the approval.".strip()
    return said or standing.next_step
