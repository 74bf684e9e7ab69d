"""Carries out promotions of one Application by patching it (the argocd method).

Read, compare with what was sealed, claim, patch guarded by resourceVersion and uid, look, record.
"""

from collections.abc import Sequence
from typing import Any

from approvals import planning, resealing, sealing
from approvals.execution import batches
from approvals.execution.batches import SubjectChangedError
from approvals.execution.ledger import PATCH, Ledger
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.planning import Change, NothingToWriteError, Prepared
from updater import clock
from updater.audit import AuditKind
from updater.connections import Connections
from updater.crashpoints import crashpoint
from updater.errors import TransientError, UpdaterError
from updater.integrations import kubernetes

MAX_PATCHES = 5  # of an Application that changes under us every time


def carry_out(promotions: Sequence[Promotion], *, ledger: Ledger, world: Connections) -> None:
    """Patch one after the other; every promotion ends in a recorded state."""
    for promotion in promotions:
        try:
            _carry_out_one(promotion, ledger=ledger, world=world)
        except UpdaterError as error:
            ledger.set_aside(promotion, error)
            if promotion.status == Status.UNKNOWN and isinstance(error, TransientError):
                return  # nobody writes here before it is known; the others are still due


def _carry_out_one(promotion: Promotion, *, ledger: Ledger, world: Connections) -> None:
    for attempt in range(MAX_PATCHES):
        prepared = _prepare(promotion, world=world)
        if _is_done(promotion, prepared):
            _finish_found(promotion, ledger=ledger)
            return
        _require_sealed(promotion, prepared)
        if not attempt and not ledger.without_waiting([promotion]):
            return  # a hold or the end of a window came while we looked
        is_ours = ledger.claim_patch(promotion, intended=_in_words(prepared))
        if not is_ours or not ledger.without_stopped([promotion]):
            return
        try:
            crashpoint("patch.before")
            _patch(promotion, prepared, world=world)
            crashpoint("patch.after")
        except kubernetes.PatchConflictError:
            continue  # somebody wrote meanwhile: look at what stands there now
        except TransientError as error:
            _look_after(promotion, error, ledger=ledger, world=world)
            return
        ledger.written(
            promotion, AuditKind.APPLICATION_PATCHED, PATCH, "The API server took the patch"
        )
        return
    raise kubernetes.PatchConflictError(
        f"{promotion.application} changed {MAX_PATCHES} times while we patched it; trying again later."
    )


def _prepare(promotion: Promotion, *, world: Connections) -> Prepared:
    batches.require_digest(promotion, world=world)
    change = Change(promotion.tracked_image, promotion.candidate)
    return planning.prepare(promotion.application, [change], world=world)


def _is_done(promotion: Promotion, prepared: Prepared) -> bool:
    own = [edit for edit in prepared.plan.edits if edit.image == promotion.tracked_image.alias]
    return not own


def _finish_found(promotion: Promotion, *, ledger: Ledger) -> None:
    if not promotion.executions.exists():
        raise NothingToWriteError(f"The Application asks for {promotion.to_tag} already.")
    if ledger.claim_patch(promotion, intended="Patch once"):
        ledger.written(
            promotion,
            AuditKind.APPLICATION_PATCHED,
            PATCH,
            "Found in place, written by an earlier attempt",
        )


def _require_sealed(promotion: Promotion, prepared: Prepared) -> None:
    plan = planning.document(prepared, at=clock.now())
    if sealing.seal(resealing.current_subject(promotion, plan)) != promotion.seal:
        raise SubjectChangedError("What would be written is not what was approved.", plan=plan)


def _patch(promotion: Promotion, prepared: Prepared, *, world: Connections) -> None:
    metadata: dict[str, Any] = dict(prepared.manifest["metadata"])
    world.cluster.patch_application(
        promotion.application.namespace,
        promotion.application.name,
        prepared.plan.argocd_patch or {},
        resource_version=str(metadata["resourceVersion"]),
        uid=promotion.application.uid,
    )


def _look_after(
    promotion: Promotion, error: TransientError, *, ledger: Ledger, world: Connections
) -> None:
    """Read the Application after a lost answer, and record what is certain."""
    try:
        is_done = _is_done(promotion, _prepare(promotion, world=world))
    except UpdaterError as unclear:
        ledger.lost_sight([promotion], unclear)
        return
    if is_done:
        ledger.written(
            promotion, AuditKind.APPLICATION_PATCHED, PATCH, "Found in place after a lost answer"
        )
    else:
        ledger.errored([promotion], error)


def _in_words(prepared: Prepared) -> str:
    return "; ".join(
        f"{edit.key}: {edit.old or 'nothing'} → {edit.new}" for edit in prepared.plan.edits
    )
