"""Asks Argo CD for a sync of a written release, once: intended before, looked for after a lost answer, concluded."""

from django.db import transaction

from approvals import lifecycle
from approvals.models import ExecutionStep, Promotion
from updater import audit, clock
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.errors import UpdaterError
from updater.integrations import kubernetes

REQUEST_SYNC = "Request sync"
State = ExecutionStep.State


def ask_once(promotion: Promotion, *, world: Connections, by: Actor) -> None:
    """Ask for the sync, unless it was asked for.

    Raises:
        What the cluster raises; a lost answer leaves the step intended, and the next call looks first.
    """
    if not _was_asked(promotion, world=world):
        _request_sync(promotion, world=world, by=by)


def _was_asked(promotion: Promotion, *, world: Connections) -> bool:
    """Whether a sync for this promotion was started: our ledger says so, or Argo CD shows it after a lost answer."""
    step = _sync_step(promotion)
    if step is None or step.state != State.INTENDED:
        return step is not None and step.state != State.STOPPED
    application = promotion.application
    manifest = world.cluster.get_application(application.namespace, application.name)
    running = manifest.get("operation") or {}
    last = (manifest.get("status", {}).get("operationState") or {}).get("operation") or {}
    info = [*(running.get("info") or []), *(last.get("info") or [])]
    is_there = any(item.get("value") == str(promotion.pk) for item in info)
    if is_there:
        _conclude(step, State.FOUND_DONE, "Argo CD shows the sync of this promotion")
    return is_there


def _sync_step(promotion: Promotion) -> ExecutionStep | None:
    steps = ExecutionStep.objects.filter(execution__promotion=promotion, name=REQUEST_SYNC)
    return steps.order_by("-started_at").first()


def _intend_sync(promotion: Promotion) -> ExecutionStep | None:
    execution = promotion.executions.order_by("-attempt").first()
    if execution is None:
        return None
    intended = f"Sync of {promotion.commit[:10] or promotion.to_tag}, named after this promotion"
    step, _ = ExecutionStep.objects.update_or_create(
        execution=execution,
        name=REQUEST_SYNC,
        defaults={"intended": intended, "state": State.INTENDED, "ended_at": None, "probed": ""},
        create_defaults={
            "intended": intended,
            "position": execution.steps.count() + 1,
            "started_at": clock.now(),
        },
    )
    return step


def _conclude(step: ExecutionStep | None, state: ExecutionStep.State, probed: str) -> None:
    if step is not None:
        step.state, step.probed, step.ended_at = state, probed, clock.now()
        step.save(update_fields=["state", "probed", "ended_at"])


def _request_sync(promotion: Promotion, *, world: Connections, by: Actor) -> None:
    step = _intend_sync(promotion)
    try:
        _send_sync(promotion, world=world)
    except kubernetes.UnknownOutcomeError:
        raise  # still only intended: the next look at the Application tells
    except UpdaterError as error:
        _conclude(step, State.STOPPED, str(error))
        raise
    with transaction.atomic():
        _conclude(step, State.DONE, "The API server took the operation")
        audit.record(
            kind=AuditKind.SYNC_REQUESTED,
            by=by,
            subject=lifecycle.subject_of(promotion),
            details={"commit": promotion.commit},
        )


def _send_sync(promotion: Promotion, *, world: Connections) -> None:
    application = promotion.application
    sources = application.manifest.get("spec", {}).get("sources") or []
    world.cluster.request_sync(
        application.namespace,
        application.name,
        uid=application.uid,
        username="countersign",
        info={"Promotion": str(promotion.pk)},
        # Several sources have a revision each, and ours is one of them: their target revisions say it.
        revisions=[promotion.commit] if promotion.commit and not sources else [],
    )
