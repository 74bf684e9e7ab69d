"""Which image repositories are due, and taking them: a claim moves the next scan, so nobody scans twice.

The next scan hangs on the claim's time, never on how long a scan took. A worker that dies costs one interval.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from updater import leases
from updater.models import ImageRepository, Registry, TrackedImage

PER_HOST = (
    500  # claimed at once of one registry; the rest stays due for the next claim, or another worker
)


def hosts_due(*, at: datetime, busy: Collection[str]) -> list[Registry]:
    """Return the registries that have something due and may be asked."""
    due = _due(at).filter(registry=OuterRef("pk"))
    rows = Registry.objects.filter(Q(retry_at=None) | Q(retry_at__lte=at), Exists(due))
    return list(rows.exclude(host__in=busy).order_by("host"))


def claim(registry: Registry, *, at: datetime, interval_seconds: float) -> list[int]:
    """Take what is due of one registry and return the ids of its image repositories."""
    with transaction.atomic():
        leases.require_held()
        rows = _due(at).filter(registry=registry).select_for_update(skip_locked=True, of=("self",))
        ids = list(rows.order_by("next_scan_at").values_list("pk", flat=True)[:PER_HOST])
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [at, interval_seconds, ids])
    return ids


# Five percent of jitter, so that repositories found together do not stay together for ever.
_MOVE = """
    UPDATE updater_imagerepository
    SET next_scan_at = %s + make_interval(secs => %s * (0.95 + 0.1 * random()))
    WHERE id = ANY(%s)
"""


def put_back(ids: Iterable[int], *, until: datetime) -> None:
    """Make claimed repositories due again at a time: they were not scanned, or not to the end."""
    ImageRepository.objects.filter(pk__in=list(ids)).update(next_scan_at=until)


def _due(at: datetime) -> QuerySet[ImageRepository]:
    used = TrackedImage.objects.present().filter(image_repository=OuterRef("pk"), is_usable=True)
    return ImageRepository.objects.filter(
        Q(next_scan_at=None) | Q(next_scan_at__lte=at), Exists(used)
    )
