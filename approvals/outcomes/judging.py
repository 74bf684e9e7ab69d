"""What came of a written promotion, judged from several facts of the Application, never from one.

SUCCEEDED: our commit is part of the synced revision, the last operation did not fail, Synced, the new image
reported and the old one gone, Healthy, all compared after our write (argo-cd.md 13). FAILED: the same revision
and Degraded, or a failed operation, or too late. Sync Unknown is no verdict: past the deadline it is UNKNOWN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.dateparse import parse_datetime

from approvals.models import Promotion
from updater import images
from updater.connections import Connections
from updater.errors import UpdaterError

DEGRADED_GRACE_SECONDS = 10  # an old Degraded may still be reported right after the roll-out began


class Finding(StrEnum):
    """What a look at the Application says."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    WAITING = "waiting"
    OUT_OF_SYNC = "out of sync"  # compared with our commit, not rolled out
    UNCLEAR = "unclear"  # Argo CD itself does not know


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finding and its reason in words."""

    finding: Finding
    reason: str


def judge(promotion: Promotion, *, world: Connections, at: datetime) -> Outcome:
    """Return what the Application, as last read, says about this promotion."""
    application = promotion.application
    if application.vanished_at:
        return Outcome(
            Finding.FAILED, "The Application was deleted before the release was healthy."
        )
    status: Mapping[str, Any] = application.manifest.get("status", {})
    if application.sync_status in ("", "Unknown"):
        return Outcome(Finding.UNCLEAR, _condition(status))
    try:
        has_revision = _has_our_revision(promotion, world=world)
    except UpdaterError as error:
        return Outcome(Finding.UNCLEAR, str(error))
    if not has_revision:
        return Outcome(Finding.WAITING, "Argo CD has not compared with our commit yet.")
    return _judge_rollout(promotion, status, at=at)


def _judge_rollout(promotion: Promotion, status: Mapping[str, Any], *, at: datetime) -> Outcome:
    application = promotion.application
    if application.sync_status != "Synced" and (words := _failed_operation(promotion, status)):
        return Outcome(Finding.FAILED, f"Argo CD could not sync: {words}")
    if application.sync_status != "Synced":
        return Outcome(Finding.OUT_OF_SYNC, f"Argo CD reports {application.sync_status}.")
    if application.health_status == "Degraded":
        return _degraded(promotion, status, at=at)
    if missing := _image_mismatch(promotion):
        return Outcome(Finding.WAITING, missing)
    if application.health_status != "Healthy":
        return Outcome(
            Finding.WAITING, f"Argo CD reports {application.health_status or 'no health'}."
        )
    return Outcome(Finding.SUCCEEDED, f"Synced and Healthy with {promotion.to_tag}.")


def _failed_operation(promotion: Promotion, status: Mapping[str, Any]) -> str:
    """Return the message of an operation that failed after our write; an older failure is not ours."""
    operation = status.get("operationState") or {}
    started = parse_datetime(str(operation.get("startedAt") or ""))
    written = promotion.pushed_at
    # Argo CD cuts its times to whole seconds.
    is_ours = (
        started is not None and written is not None and started >= written.replace(microsecond=0)
    )
    if operation.get("phase") not in ("Failed", "Error") or not is_ours:
        return ""
    return str(operation.get("message") or "no message")


def _degraded(promotion: Promotion, status: Mapping[str, Any], *, at: datetime) -> Outcome:
    health = status.get("health") or {}
    message = health.get("message") or "Argo CD reports Degraded."
    if _image_mismatch(promotion, only_new=True) or age(promotion, at) < DEGRADED_GRACE_SECONDS:
        return Outcome(Finding.WAITING, f"Degraded, perhaps still from before: {message}")
    return Outcome(Finding.FAILED, f"{promotion.to_tag} runs and is Degraded: {message}")


def _has_our_revision(promotion: Promotion, *, world: Connections) -> bool:
    """Whether the revision Argo CD compared with contains our commit; the argocd method makes none."""
    if not promotion.commit:
        return True
    sync = promotion.application.manifest.get("status", {}).get("sync", {})
    revisions = [sync.get("revision"), *(sync.get("revisions") or [])]
    known = [revision for revision in revisions if revision]
    if promotion.commit in known:
        return True
    plan = promotion.plan
    mirror = world.mirror(plan["repository"], promotion.application.project, plan["secret"])
    world.tip(mirror, plan["branch"])
    return any(mirror.is_ancestor(promotion.commit, revision) for revision in known)


def _image_mismatch(promotion: Promotion, *, only_new: bool = False) -> str:
    """Return what is wrong with the reported images, "" when they are as promoted."""
    repository = promotion.tracked_image.image_repository
    if not promotion.tracked_image.is_live or repository is None:
        return ""  # a forced image: no pod reports it, so health alone decides
    running = [
        live
        for live in _parsed(promotion.application.live_images)
        if live.repository == repository.name
    ]
    versions = {live.tag for live in running} | {live.digest for live in running}
    if not versions & {promotion.to_tag, promotion.to_digest}:
        return f"No pod runs {promotion.to_tag} yet."
    if not only_new and promotion.from_tag != promotion.to_tag and promotion.from_tag in versions:
        return f"Some pods still run {promotion.from_tag}."
    return ""


def _parsed(texts: list[str]) -> list[images.ImageReference]:
    parsed = []
    for text in texts:
        try:
            parsed.append(images.parse(text))
        except images.ImageReferenceError:
            continue  # an entry nobody can read is no evidence either way
    return parsed


def age(promotion: Promotion, at: datetime) -> float:
    """Return the seconds since the write whose outcome is looked for."""
    since = promotion.pushed_at or promotion.status_at
    return max(timedelta(0), at - since).total_seconds()


def _condition(status: Mapping[str, Any]) -> str:
    messages = [str(item.get("message", "")) for item in status.get("conditions") or []]
    return "Argo CD cannot compare: " + ("; ".join(filter(None, messages)) or "it reports Unknown.")
