"""Filters of the API's lists: only these names, only equality; anything else is refused by name."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from approvals.api.problems import BadRequestError
from approvals.models import Hold, Promotion, Review
from approvals.models.promotion import PromotionStatus
from updater import clock
from updater.models import AuditEvent

_ALWAYS = {"cursor", "limit", "format"}


def promotions(rows: "QuerySet[Promotion]", request: Request) -> "QuerySet[Promotion]":
    """Filter by `status`, `application` (namespace/name) and `image` (alias)."""
    query = _known(request, {"status", "application", "image"})
    if status := query.get("status"):
        if status not in PromotionStatus.values:
            raise BadRequestError(
                f"status: {status!r} is none of {', '.join(PromotionStatus.values)}."
            )
        rows = rows.filter(status=status)
    if application := query.get("application"):
        namespace, slash, name = application.partition("/")
        if not slash:
            raise BadRequestError("application: write it as namespace/name.")
        rows = rows.filter(application__namespace=namespace, application__name=name)
    if image := query.get("image"):
        rows = rows.filter(tracked_image__alias=image)
    return rows


def audit_events(rows: "QuerySet[AuditEvent]", request: Request) -> "QuerySet[AuditEvent]":
    """Filter by `application`, `actor`, `kind`, `promotion`, `since` and `until` (ISO 8601)."""
    query = _known(request, {"application", "actor", "kind", "promotion", "since", "until"})
    for name in ("application", "actor", "kind", "promotion"):
        if value := query.get(name):
            rows = rows.filter(**{name: value})
    if since := query.get("since"):
        rows = rows.filter(at__gte=_time("since", since))
    if until := query.get("until"):
        rows = rows.filter(at__lt=_time("until", until))
    return rows


def holds(rows: "QuerySet[Hold]", request: Request) -> "QuerySet[Hold]":
    """Filter by `standing` (true or false)."""
    standing = _known(request, {"standing"}).get("standing")
    if standing is None:
        return rows
    if standing not in ("true", "false"):
        raise BadRequestError("standing: write true or false.")
    at = clock.now()
    stands = Q(released_at=None) & (Q(until=None) | Q(until__gt=at))
    return rows.filter(stands) if standing == "true" else rows.exclude(stands)


def application_name(request: Request) -> str:
    """Return the wanted `application` (namespace/name), or "" for none."""
    return _known(request, {"application"}).get("application", "")


def reviews(rows: "QuerySet[Review]", request: Request) -> "QuerySet[Review]":
    """Filter by `owed` (true or false)."""
    query = _known(request, {"owed"})
    if owed := query.get("owed"):
        if owed not in ("true", "false"):
            raise BadRequestError(f"owed: {owed!r} is neither true nor false.")
        rows = rows.filter(given_at__isnull=owed == "true")
    return rows


def none(request: Request) -> None:
    """Refuse every filter."""
    _known(request, set())


def _known(request: Request, names: Collection[str]) -> dict[str, str]:
    query = {key: str(value) for key, value in request.query_params.items()}
    unknown = sorted(set(query) - set(names) - _ALWAYS)
    if unknown:
        allowed = ", ".join(sorted(names)) or "none"
        raise BadRequestError(f"Unknown filter {', '.join(unknown)}; this list knows: {allowed}.")
    if any("\x00" in value for value in query.values()):
        raise BadRequestError("A filter holds a NUL character.")
    return query


def _time(name: str, text: str) -> datetime:
    try:
        value = parse_datetime(text)
    except ValueError as error:
        raise BadRequestError(f"{name}: {text!r} is no point in time.") from error
    if value is None or value.tzinfo is None:
        raise BadRequestError(
            f"{name}: write an ISO 8601 time with zone, such as 2026-11-23T09:00:00Z."
        )
    return value
