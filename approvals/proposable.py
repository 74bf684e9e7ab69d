"""Which candidates are to be proposed now: the one place that says when something is offered again.

A current candidate gets a promotion when it has none that is alive, its digest is not refused, nobody asked for
something else that waits for a decision, no way back is under way, and

    it never had one                  → at once
    its last one ended …              → at least a minute after the end, and when
      EXPIRED                         a scan since then still offers it
      SUPERSEDED                      the same, and what took its place is over
      WITHDRAWN, ABORTED by us        the same as expired: what spoke against it may be mended
      SUCCEEDED                       the same, and something else runs now: it was reverted
      WITHDRAWN, ABORTED by a person  scans chose something else meanwhile and chose it anew
      REJECTED, FAILED                the same
    or, after any end                 a refusal of its digest was lifted since

Opening plans first, so what cannot be written or stands in Git already is postponed, never opened in a loop.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater.models import Candidate, Refusal

REST = timedelta(seconds=60)  # between the end of one and the next for the same candidate


def candidates(at: datetime) -> "QuerySet[Candidate]":
    """Return the current candidates that want a promotion, the oldest first."""
    own = Promotion.objects.filter(candidate=OuterRef("pk"))
    refused = Refusal.objects.filter(
        tracked_image=OuterRef("tracked_image"), digest=OuterRef("digest"), lifted_at=None
    )
    last = own.order_by("-created_at").values("pk")[:1]
    again = Promotion.objects.filter(_offered_again(at), pk=OuterRef("last_promotion"))
    return (
        Candidate.objects.filter(
            Q(retry_at=None) | Q(retry_at__lte=at),
            ~Exists(own.alive()),
            ~Exists(refused),
            ~Exists(_asked_for()),
            is_current=True,
            tracked_image__is_usable=True,
            tracked_image__removed_at=None,
            tracked_image__application__vanished_at=None,
        )
        .annotate(last_promotion=Subquery(last))
        .filter(Q(last_promotion=None) | Exists(again))
        .select_related(
            "tracked_image__application", "tracked_image__image_repository__registry", "manifest"
        )
        .order_by("found_at")
    )


def _asked_for() -> "QuerySet[Promotion]":
    """Return what people asked for of the same image: no offer takes its place."""
    waits = Q(status=Status.PENDING) & ~Q(kind=Promotion.Kind.FORWARD)
    goes_back = Q(status__in=Status.alive(), kind=Promotion.Kind.ROLLBACK)
    return Promotion.objects.filter(waits | goes_back, tracked_image=OuterRef("tracked_image"))


def _offered_again(at: datetime) -> Q:
    lifted = Refusal.objects.filter(
        tracked_image=OuterRef("tracked_image"),
        digest=OuterRef("to_digest"),
        lifted_at__gt=OuterRef("ended_at"),
    )
    chosen_anew = Q(candidate__found_at__gt=F("ended_at"))
    still_offered = Q(tracked_image__image_repository__scanned_at__gt=F("ended_at"))
    is_due = chosen_anew | Q(Exists(lifted)) | (still_offered & _may_follow())
    return Q(ended_at__lte=at - REST) & is_due


def _may_follow() -> Q:
    by_person = ~Q(ended_by="") | ~Q(abort_requested_by="")
    in_place = Q(superseded_by__status__in=Status.alive())
    runs = Q(tracked_image__live_tag=F("to_tag")) & (
        Q(tracked_image__live_digest="") | Q(tracked_image__live_digest=F("to_digest"))
    )
    return (
        Q(status=Status.EXPIRED)
        | Q(status=Status.SUPERSEDED) & ~in_place
        | Q(status__in=[Status.WITHDRAWN, Status.ABORTED]) & ~by_person
        | Q(status=Status.SUCCEEDED) & ~runs
    )
