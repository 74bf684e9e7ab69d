"""What people asked for: requests that wait or ended lately, and what stands in the way of another one."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from approvals.models import Promotion, Request
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries.scopes import Scope
from updater.models import Application, TrackedImage

MAX_SHOWN = 20
SHOWN_FOR = timedelta(days=1)  # after its end; an opened one is shown as its promotion
_OPEN = [*Status.undecided_or_waiting(), *Status.in_flight()]


def find(request_id: UUID, *, visible: Scope) -> Request | None:
    """Return the request, if there is one to be seen."""
    seen = Application.objects.filter(visible.applications)
    rows = Request.objects.with_target().filter(tracked_image__application__in=seen)
    return rows.filter(pk=request_id).first()


def of_application(application: Application, *, now: datetime) -> tuple[Request, ...]:
    """Return the Application's requests that wait, and those of the last day that came to nothing."""
    ended = Q(status__in=[Request.Status.REFUSED, Request.Status.WITHDRAWN])
    shown = Q(status=Request.Status.WAITING) | ended & Q(ended_at__gte=now - SHOWN_FOR)
    rows = Request.objects.filter(shown, tracked_image__application=application)
    return tuple(rows.select_related("tracked_image", "by").order_by("-at")[:MAX_SHOWN])


def being_prepared(visible: Scope, *, project: str, now: datetime) -> tuple[Request, ...]:
    """Return what waits to be prepared, then what could not be in the last day, the newest first of each."""
    refused = Q(status=Request.Status.REFUSED, ended_at__gte=now - SHOWN_FOR)
    rows = Request.objects.filter(
        Q(status=Request.Status.WAITING) | refused,
        visible.condition("tracked_image__application"),
    )
    if project:
        rows = rows.filter(tracked_image__application__project=project)
    heavy = ("tracked_image__configuration", "tracked_image__application__manifest")
    # WAITING sorts after REFUSED
    return tuple(rows.with_target().defer(*heavy).order_by("-status", "-at")[:MAX_SHOWN])


def in_the_way(image: TrackedImage, kind: str, *, but: UUID | None = None) -> str:
    """Return what must be decided or withdrawn before another of this kind is asked for; "" for nothing.

    A way back only waits for another way back: it sets everything else aside.
    """
    waiting = Request.objects.waiting().filter(tracked_image=image)
    promotions = Promotion.objects.filter(tracked_image=image).exclude(kind=Promotion.Kind.FORWARD)
    if but is not None:
        waiting = waiting.exclude(pk=but)
    if kind == Request.Kind.ROLLBACK:
        waiting = waiting.filter(kind=Request.Kind.ROLLBACK)
        promotions = promotions.filter(kind=Promotion.Kind.ROLLBACK, status__in=_OPEN)
    else:
        alive_rollback = Q(kind=Promotion.Kind.ROLLBACK, status__in=Status.alive())
        promotions = promotions.filter(alive_rollback | Q(status=Status.PENDING))
    return _in_words(waiting.select_related("by")[:1], promotions[:1])


def _in_words(waiting: Iterable[Request], promotions: Iterable[Promotion]) -> str:
    for request in waiting:
        what = "to go back to" if request.is_rollback else "for"
        who = request.by.get_username()
        return f"{who} asked {what} {request.tag} already; a worker prepares that."
    for row in promotions:
        return (
            f"A promotion of kind {row.get_kind_display().lower()} to {row.to_tag} is "
            f"{row.get_status_display().lower()}; decide or withdraw that one first."
        )
    return ""
