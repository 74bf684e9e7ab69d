"""The audit trail: read, filtered, one event opened, and taken out as a table."""

import csv
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from approvals.forms import AuditFilterForm
from approvals.permissions import Action, guarded
from approvals.presenters import sentences
from approvals.presenters.sentences import Told
from approvals.presenters.texts import visible
from approvals.queries import trail
from approvals.queries.trail import Extent, Wanted
from approvals.views import pages
from approvals.views.requests import PersonRequest
from updater import audit, clock
from updater.audit import AuditKind
from updater.models import AuditEvent

SPANS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}
FILTERS = ("when", "since", "until", "kind", "actor", "application", "promotion")
COLUMNS = (
    "sequence", "at", "kind", "actor", "actor_kind", "via", "address", "request_id", "application",
    "image", "promotion", "details", "previous_hash", "hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One detail of an event, for reading."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the list."""

    event: AuditEvent
    told: Told
    facts: tuple[Fact, ...]  # only of the opened one
    is_open: bool


@require_safe
@guarded(Action.VIEW_AUDIT)
def audit_list(request: PersonRequest) -> HttpResponse:
    """Show the trail, newest first, with one event opened if asked."""
    form = AuditFilterForm(request.GET)
    is_readable = form.is_valid()
    wanted = _wanted(form)
    sent = form.cleaned_data
    shown = trail.page(wanted, before=sent.get("before"), after=sent.get("after"))
    context = {
        "section": "audit",
        "form": form,
        "rows": [_row(event, sent.get("open")) for event in shown.events],
        "shown": shown,
        "count": trail.count(wanted),
        "chain": trail.chain(),
        "suggestions": trail.suggestions(),
        "export_query": urlencode(
            {
                key: value
                for key, value in request.GET.items()
                if key not in ("open", "before", "after")
            }
        ),
        "is_readable": is_readable,
        "is_filtered": wanted != Wanted(),
    }
    return pages.show(request, "audit/list", context, status=200 if is_readable else 400)


@require_safe
@guarded(Action.VIEW_AUDIT)
def audit_export(request: PersonRequest) -> HttpResponseBase:
    """Record the export, then stream the wanted events as CSV, oldest first, safe to open in a spreadsheet."""
    form = AuditFilterForm(request.GET)
    if not form.is_valid():
        return HttpResponse("The filter cannot be read.\n", status=400, content_type="text/plain")
    wanted = _wanted(form)
    chunks = _lines(wanted, _recorded(request, form, wanted))
    body = _in_threads(chunks) if isinstance(request, ASGIRequest) else chunks
    return StreamingHttpResponse(
        body,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


def safe_cell(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def _wanted(form: AuditFilterForm) -> Wanted:
    sent = form.cleaned_data
    span = SPANS.get(sent.get("when", ""))
    return Wanted(
        since=clock.now() - span if span else sent.get("since"),
        until=sent.get("until"),
        kind=sent.get("kind", ""),
        actor=sent.get("actor", ""),
        application=sent.get("application", ""),
        promotion=str(sent.get("promotion") or ""),
    )


def _row(event: AuditEvent, opened: int | None) -> Row:
    is_open = event.sequence == opened
    return Row(event, sentences.tell(event), _facts(event) if is_open else (), is_open)


def _facts(event: AuditEvent) -> tuple[Fact, ...]:
    details = sentences.details_of(event)
    return tuple(Fact(visible(key), visible(_text(value))) for key, value in details.items())


def _text(value: Any) -> str:  # noqa: ANN401  any JSON value
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value)
    return "none" if value is None else str(value)


class _Line:
    """What csv.writer writes to: hands the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _recorded(request: PersonRequest, form: AuditFilterForm, wanted: Wanted) -> Extent:
    """Record who takes out what before the first row leaves: a cut connection hides no export."""
    sent = form.cleaned_data
    filters = {name: str(sent[name]) for name in FILTERS if sent.get(name)}
    with transaction.atomic():
        extent = trail.extent(wanted)
        details = {"filters": filters, "rows": extent.rows, "up_to": extent.last}
        audit.record(kind=AuditKind.AUDIT_EXPORTED, by=request.actor, details=details)
    return extent


def _lines(wanted: Wanted, extent: Extent) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for chunk in trail.export(wanted, extent):
        yield "".join(writer.writerow(_cells(event)) for event in chunk)


def _cells(event: AuditEvent) -> list[str]:
    at = event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    values = {name: getattr(event, name) for name in COLUMNS} | {"at": at}
    return [safe_cell(values[name]) for name in COLUMNS]


async def _in_threads(chunks: Iterator[str]) -> AsyncIterator[str]:
    # Under ASGI a plain generator would be read to its end, a million rows, before the first byte leaves.
    while chunk := await sync_to_async(_next)(chunks):
        yield chunk


def _next(chunks: Iterator[str]) -> str:
    return next(chunks, "")
