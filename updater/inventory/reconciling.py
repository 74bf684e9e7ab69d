"""Brings the Application and TrackedImage rows in line with the manifests of the cluster.

One transaction an Application, so one bad manifest never stops the others. Each begins with the fence of the
sweep's lease, so that an older listing is never written over a newer one. A row whose resource version
and ImageUpdater resources are unchanged is only marked as seen.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from updater import audit, leases, sync_windows
from updater.audit import Actor, AuditKind
from updater.configuration import reading, store
from updater.configuration.model import ApplicationConfiguration
from updater.configuration.project_sources import SourceRepositories
from updater.inventory import contesting, tracking
from updater.inventory.trimming import trim
from updater.models import Application

# Raise it when the reading itself changes, so every Application is read again.
READING_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Reading:
    """How manifests are to be read here."""

    cluster: str
    argocd_namespace: str = "argocd"
    image_updaters: Sequence[Mapping[str, Any]] = ()
    sync_windows: Mapping[str, Any] = field(default_factory=dict)  # by project
    source_repositories: SourceRepositories = None
    allow_http: bool = False

    @property
    def fingerprint(self) -> str:
        """Changes when the same manifest would be read differently."""
        # What Argo CD Image Updater reports about a resource changes with its every cycle, and means nothing here.
        resources = [
            {**item, "status": None, "metadata": _named(item)} for item in self.image_updaters
        ]
        projects = [dict(self.sync_windows), self.source_repositories]
        parts = [READING_VERSION, self.argocd_namespace, resources, *projects]
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(slots=True)
class InventorySummary:
    """What one reconciliation found."""

    seen: set[int] = field(default_factory=set)  # ids of Application rows
    changed: int = 0
    vanished: int = 0


def reconcile(
    manifests: Iterable[Mapping[str, Any]], *, how: Reading, by: Actor, at: datetime
) -> InventorySummary:
    """Take in a complete listing, mark what it did not hold as vanished, judge who writes the same."""
    summary = InventorySummary()
    known = _known_versions(how.cluster)
    fingerprint = how.fingerprint
    for manifest in manifests:
        uid, version = _identity(manifest)
        row = known.get(uid)
        if row is not None and row[1] == f"{version}:{fingerprint}":
            summary.seen.add(row[0])
            continue
        application = take_in(manifest, how=how, by=by, at=at)
        if application is not None:
            summary.seen.add(application.pk)
            summary.changed += 1
    _mark_seen(summary.seen, at=at)
    summary.vanished = forget_missing(summary.seen, cluster=how.cluster, by=by, at=at)
    contesting.contest(how.cluster, by=by)
    return summary


def take_in(
    manifest: Mapping[str, Any], *, how: Reading, by: Actor, at: datetime
) -> Application | None:
    """Store one manifest: its row, its tracked images and problems; None if it names no Application."""
    uid, version = _identity(manifest)
    configuration = reading.read(
        manifest,
        image_updaters=how.image_updaters,
        argocd_namespace=how.argocd_namespace,
        allow_http=how.allow_http,
        source_repositories=how.source_repositories,
    )
    if not uid or not configuration.name:
        return None
    with transaction.atomic():
        leases.require_held()
        _retire_predecessor(how.cluster, configuration, uid=uid, by=by, at=at)
        application, before = _upsert(manifest, configuration, how=how, at=at, uid=uid)
        application.read_version = f"{version}:{how.fingerprint}"
        application.save()
        tracking.reconcile_images(application, configuration, at=at)
        _record_news(application, configuration, before, by=by)
    return application


def follow(
    kind: str, manifest: Mapping[str, Any], *, how: Reading, by: Actor, at: datetime
) -> None:
    """Take in one event of a watch."""
    if kind in ("ADDED", "MODIFIED"):
        take_in(manifest, how=how, by=by, at=at)
    elif kind == "DELETED":
        uid, _ = _identity(manifest)
        for application in Application.objects.present().filter(cluster=how.cluster, uid=uid):
            vanish(application, by=by, at=at)


def forget_missing(seen: set[int], *, cluster: str, by: Actor, at: datetime) -> int:
    """Mark present Applications that the listing did not hold as vanished; return how many."""
    missing = Application.objects.present().filter(cluster=cluster).exclude(pk__in=seen)
    return sum(vanish(application, by=by, at=at) for application in missing)


def vanish(application: Application, *, by: Actor, at: datetime) -> bool:
    """Mark one Application as gone; its promotions are withdrawn by the next sweep."""
    with transaction.atomic():
        leases.require_held()
        gone = Application.objects.filter(pk=application.pk, vanished_at=None).update(
            vanished_at=at
        )
        if gone:
            audit.record(
                kind=AuditKind.APPLICATION_VANISHED, by=by, subject=audit.about(application)
            )
    return bool(gone)


def _mark_seen(seen: set[int], *, at: datetime) -> None:
    with transaction.atomic():
        leases.require_held()
        Application.objects.filter(pk__in=seen).update(seen_at=at)


def _named(resource: Mapping[str, Any]) -> dict[str, Any]:
    metadata = resource.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    return {key: metadata.get(key) for key in ("namespace", "name")}


def _identity(manifest: Mapping[str, Any]) -> tuple[str, str]:
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        return "", ""
    return str(metadata.get("uid") or ""), str(metadata.get("resourceVersion") or "")


def _known_versions(cluster: str) -> dict[str, tuple[int, str]]:
    rows = Application.objects.present().filter(cluster=cluster)
    return {
        uid: (pk, version) for pk, uid, version in rows.values_list("pk", "uid", "read_version")
    }


def _retire_predecessor(
    cluster: str, configuration: ApplicationConfiguration, *, uid: str, by: Actor, at: datetime
) -> None:
    # Deleted and recreated under the same name: another uid is another Application (case K06).
    predecessors = Application.objects.present().filter(
        cluster=cluster, namespace=configuration.namespace, name=configuration.name
    )
    for predecessor in predecessors.exclude(uid=uid):
        vanish(predecessor, by=by, at=at)


def _upsert(
    manifest: Mapping[str, Any],
    configuration: ApplicationConfiguration,
    *,
    how: Reading,
    at: datetime,
    uid: str,
) -> tuple[Application, Application | None]:
    before = Application.objects.filter(cluster=how.cluster, uid=uid).first()
    application = Application.objects.filter(cluster=how.cluster, uid=uid).first() or Application(
        cluster=how.cluster, uid=uid, first_seen_at=at
    )
    trimmed = trim(manifest, configuration)
    status = trimmed["status"]
    application.namespace = configuration.namespace
    application.name = configuration.name
    application.project = str(trimmed["spec"].get("project") or "default")
    application.manifest = trimmed
    application.is_managed = configuration.managed
    application.source_type = configuration.source_type or ""
    application.sync_status = str(status["sync"].get("status") or "")
    application.health_status = str((status.get("health") or {}).get("status") or "")
    application.revision = str(status["sync"].get("revision") or "")
    own = [asdict(problem) for problem in configuration.problems]
    application.problems = own + contesting.keep(before)
    application.write_back = store.write_back_to_json(configuration.write_back)
    application.sync_windows = sync_windows.matching(
        how.sync_windows.get(application.project), sync_windows.subject_of(trimmed)
    )
    application.seen_at = at
    application.vanished_at = None
    return application, before


def _record_news(
    application: Application,
    configuration: ApplicationConfiguration,
    before: Application | None,
    *,
    by: Actor,
) -> None:
    if not configuration.managed and (before is None or not before.is_managed):
        return  # somebody else's Application: listed, but no news of ours
    subject = audit.about(application)
    if before is None:
        audit.record(kind=AuditKind.APPLICATION_FOUND, by=by, subject=subject)
    elif _configured(before) != _configured(application):
        audit.record(
            kind=AuditKind.APPLICATION_CHANGED,
            by=by,
            subject=subject,
            details={"before": before.write_back, "after": application.write_back},
        )
    known = before.problems if before else []
    is_compared = bool(application.sync_status)
    for problem in application.problems:
        # Before Argo CD's first look nobody can know the type of the source: no news yet.
        is_early = problem["code"] == "UNSUPPORTED_SOURCE" and not is_compared
        if problem not in known and not is_early:
            audit.record(
                kind=AuditKind.CONFIGURATION_PROBLEM_FOUND,
                by=by,
                subject=audit.about(application, image=problem["alias"] or ""),
                details=problem,
            )


def _configured(application: Application) -> tuple[object, ...]:
    annotations = application.manifest.get("metadata", {}).get("annotations", {})
    ours = {
        key: value
        for key, value in annotations.items()
        if not key.startswith("argocd.argoproj.io/")
    }
    return (application.is_managed, application.write_back, ours)
