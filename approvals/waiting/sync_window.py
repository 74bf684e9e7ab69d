"""Argo CD's own sync windows as a gate: a commit now would not be rolled out before they open."""

from collections.abc import Iterable
from datetime import datetime

from approvals.models import Promotion
from approvals.policy.gating import BLOCK, PASS, WAIT, Gate
from updater import sync_windows
from updater.models import Application

KEY = "sync_window"


def gates_of(promotions: Iterable[Promotion], *, at: datetime) -> dict[int, Gate]:
    """Return the gate of each Application by its primary key; at most one query."""
    applications = {row.application_id: row.application for row in promotions}
    automated = _automated(row.pk for row in applications.values() if row.sync_windows)
    return {
        pk: _judge(application, is_automated=automated.get(pk, False), at=at)
        for pk, application in applications.items()
    }


def _judge(application: Application, *, is_automated: bool, at: datetime) -> Gate:
    answer = sync_windows.judge(application.sync_windows, at=at)
    is_open = answer.automatic if is_automated else answer.manual
    closed = WAIT if answer.is_readable else BLOCK
    return Gate(
        KEY,
        "Sync window",
        PASS if is_open else closed,
        answer.reason,
        at=application.seen_at,
        rule=f"Argo CD's project {application.project}" if application.sync_windows else "",
        who="whoever looks after the Argo CD project",
    )


def _automated(applications: Iterable[int]) -> dict[int, bool]:
    # Lists do not load manifests: only this part of them is asked for.
    wanted = list(applications)
    if not wanted:
        return {}
    rows = Application.objects.filter(pk__in=wanted).values_list(
        "pk", "manifest__spec__syncPolicy__automated"
    )
    return {pk: Application.is_automatic(automated) for pk, automated in rows}
