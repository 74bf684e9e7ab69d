"""Candidates become pending promotions: planned over the network, then written, or postponed with the reason."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from approvals import planning, proposable
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.planning import Change
from approvals.promotions.following import store_plan
from approvals.promotions.inserting import insert
from updater import audit, leases, transactions
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.errors import UpdaterError
from updater.models import Candidate

RETRY_SECONDS = 60  # after a candidate could not be prepared
MAX_OPENED_PER_SWEEP = 200


def open_new(*, world: Connections, by: Actor, at: datetime) -> int:
    """Open a promotion for every candidate that wants one."""
    opened = 0
    for candidate in proposable.candidates(at)[:MAX_OPENED_PER_SWEEP]:
        try:
            opened += _open(candidate, world=world, by=by, at=at)
        except UpdaterError as error:
            _postpone(candidate, error, by=by, at=at)
    return opened


def _open(candidate: Candidate, *, world: Connections, by: Actor, at: datetime) -> bool:
    moved = _open_promotion_of_same_tag(candidate)
    plan = planned(candidate, world=world, at=at)
    _write(candidate, moved, plan, by=by, at=at)
    return True


@transactions.repeated
def _write(
    candidate: Candidate,
    moved: Promotion | None,
    plan: dict[str, Any],
    *,
    by: Actor,
    at: datetime,
) -> None:
    with transaction.atomic():
        leases.require_held()
        if moved is not None:
            store_plan(moved.pk, plan, by=by, at=at)
        else:
            insert(candidate, plan, by=by, at=at)
        Candidate.objects.filter(pk=candidate.pk).update(problem="", retry_at=None)


def _open_promotion_of_same_tag(candidate: Candidate) -> Promotion | None:
    # The tag was pushed again: the promotion people look at gets a new seal instead of a twin.
    return (
        Promotion.objects.filter(
            tracked_image=candidate.tracked_image,
            to_tag=candidate.tag,
            status__in=Status.undecided_or_waiting(),
        )
        .exclude(kind=Promotion.Kind.ROLLBACK)
        .first()
    )


def planned(candidate: Candidate, *, world: Connections, at: datetime) -> dict[str, Any]:
    """Return the plan of moving to this candidate. Network, no transaction.

    Raises:
        NothingToWriteError, and what `planning.prepare` raises.
    """
    change = Change(candidate.tracked_image, candidate)
    prepared = planning.prepare(candidate.tracked_image.application, [change], world=world)
    plan = planning.document(prepared, at=at)
    if not any(edit["image"] == candidate.tracked_image.alias for edit in plan["edits"]):
        raise planning.NothingToWriteError(
            f"{candidate.tag} is already written; Argo CD has yet to roll it out."
        )
    return plan


def _postpone(candidate: Candidate, error: UpdaterError, *, by: Actor, at: datetime) -> None:
    """Remember why no promotion could be opened; record it once, not at every sweep."""
    with transaction.atomic():
        leases.require_held()
        if candidate.problem != str(error):
            audit.record(
                kind=AuditKind.PROMOTION_NOT_OPENED,
                by=by,
                subject=audit.about(
                    candidate.tracked_image.application, image=candidate.tracked_image.alias
                ),
                details={"tag": candidate.tag, "code": error.code, "reason": str(error)},
            )
        Candidate.objects.filter(pk=candidate.pk).update(
            problem=str(error), retry_at=at + timedelta(seconds=RETRY_SECONDS)
        )
