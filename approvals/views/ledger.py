"""The ledger of an attempt as lines: the steps that were recorded, and those still to come."""

from dataclasses import dataclass

from approvals.models import Execution, ExecutionStep, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.presenters import times

# What a worker does, in order; a test holds this together with the ledger it writes.
GIT_STEPS = ("Revalidate", "Build commit", "Push", "Refresh Application")
PULL_REQUEST_STEPS = (
    "Revalidate",
    "Build commit",
    "Push branch",
    "Open pull request",
    "Wait for merge",
    "Refresh Application",
)
PATCH_STEPS = ("Revalidate", "Patch Application")
NO_RETURN = {"Push", "Wait for merge", "Patch Application"}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the ledger: recorded, or still to come."""

    position: int
    name: str
    record: ExecutionStep | None
    took: str
    is_no_return: bool  # once it is done there is no way back but a new promotion


def steps_of(row: Promotion, attempt: Execution | None) -> list[Step]:
    """Return the lines of this attempt; without one, what a first attempt will do."""
    records = list(attempt.steps.all()) if attempt else []
    known = {record.name for record in records}
    expected = _expected(row)
    is_going = attempt is None or attempt.ended_at is None or row.status in Status.alive()
    to_come = [name for name in expected if name not in known] if is_going else []
    lines = [(record.name, record) for record in records] + [(name, None) for name in to_come]
    return [
        Step(position, name, record, _took(record), name in NO_RETURN)
        for position, (name, record) in enumerate(lines, start=1)
    ]


def _expected(row: Promotion) -> tuple[str, ...]:
    if row.plan.get("pull_request"):
        return PULL_REQUEST_STEPS
    return GIT_STEPS if row.plan.get("method") == "git" else PATCH_STEPS


def _took(record: ExecutionStep | None) -> str:
    if record is None or record.ended_at is None:
        return ""
    return times.took(record.ended_at - record.started_at)
