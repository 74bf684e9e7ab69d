"""Applications: the list with its health, and one Application with its images, tags and past."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, Max, Q, QuerySet, TextField
from django.db.models.functions import Cast

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries import keyset, moved, scopes
from approvals.queries.keyset import Page
from approvals.queries.moved import Moved
from approvals.queries.scopes import Scope
from updater.models import Application, Candidate, Refusal, Registry, TrackedImage

PAGE_SIZE = 100
MAX_REGISTRIES = 12
HISTORY = 20
MAX_REFUSALS = 50
_KEY = ("name", "namespace", "pk_text")
_ILL = Q(health_status__in=["Degraded", "Missing"]) | Q(sync_status="Unknown")


class Show(StrEnum):
    """What part of the Applications is wanted."""

    MANAGED = "managed"
    PENDING = "pending"
    PROBLEMS = "problems"
    ILL = "ill"
    UNMANAGED = "unmanaged"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which Applications are wanted."""

    show: Show = Show.MANAGED
    project: str = ""
    text: str = ""
    visible: Scope = scopes.EVERYTHING


@dataclass(frozen=True, slots=True)
class Scan:
    """The images of one Application and how their registries answer."""

    images: int = 0
    scanned_at: datetime | None = None
    failing: int = 0  # images whose registry does not answer


@dataclass(frozen=True, slots=True)
class Row:
    """One Application of the list."""

    application: Application
    scan: Scan
    pending: int


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image of an Application: what it may take, what it last took, what became of that."""

    image: TrackedImage
    candidate: Candidate | None
    promotion: Promotion | None  # the one that is alive
    moved: Moved | None = None  # the running tag was pushed again


def page(wanted: Wanted, cursor: str = "") -> Page[Row]:
    """Return a page of Applications by name.

    Raises:
        keyset.CursorError: the cursor is not one of this list.
    """
    rows = _matching(wanted).annotate(pk_text=Cast("pk", TextField())).defer("manifest")
    if cursor:
        rows = rows.filter(keyset.after(_KEY, keyset.decode(cursor, length=len(_KEY))))
    found = list(rows.order_by(*_KEY)[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    is_last = len(found) <= PAGE_SIZE
    last = shown[-1] if shown else None
    key = (last.name, last.namespace, str(last.pk)) if last else ()
    return Page(_rows(shown), "" if is_last else keyset.encode(key))


def counts(wanted: Wanted) -> dict[Show, int]:
    """Return how many Applications each filter would show."""
    conditions = {show.value: Count("pk", filter=_condition(show)) for show in Show}
    totals = Application.objects.present().filter(_named(wanted)).aggregate(**conditions)
    return {show: totals[show.value] for show in Show}


def registries() -> tuple[Registry, ...]:
    """Return the registries, those in trouble first."""
    rows = Registry.objects.annotate(used=Count("repositories__tracked_images")).filter(used__gt=0)
    return tuple(rows.order_by("-failures", "host")[:MAX_REGISTRIES])


def find(namespace: str, name: str, *, visible: Scope) -> Application | None:
    """Return the visible Application of this name: the present one, else the last that was there."""
    lives = Application.objects.filter(visible.applications, namespace=namespace, name=name)
    return lives.order_by("-vanished_at").first()


def images_of(application: Application) -> tuple[ImageRow, ...]:
    """Return the configured images with their current candidate and what is open for them."""
    images = list(
        TrackedImage.objects.filter(application=application, removed_at=None)
        .select_related("image_repository__registry")
        .order_by("position", "alias")
    )
    candidates = {
        row.tracked_image_id: row
        for row in Candidate.objects.filter(tracked_image__in=images, is_current=True)
    }
    alive = Promotion.objects.alive().filter(tracked_image__in=images).defer("plan", "subject")
    promotions = {row.tracked_image_id: row for row in alive.order_by("created_at")}
    pushed_again = moved.of_images(images)
    return tuple(
        ImageRow(
            image,
            candidates.get(image.pk),
            promotions.get(image.pk),
            pushed_again.get(image.pk),
        )
        for image in images
    )


def history_of(application: Application) -> tuple[Promotion, ...]:
    """Return the Application's latest promotions, newest first, with decisions."""
    rows = Promotion.objects.filter(application=application).exclude(status=Status.PENDING)
    rows = rows.select_related("tracked_image", "review").prefetch_related("decisions")
    return tuple(rows.defer("plan", "subject").order_by("-created_at")[:HISTORY])


def refusals_of(application: Application) -> tuple[Refusal, ...]:
    """Return the digests that are not offered for the Application's images, the latest refused first."""
    rows = Refusal.objects.filter(tracked_image__application=application, lifted_at=None)
    return tuple(rows.select_related("tracked_image").order_by("-at")[:MAX_REFUSALS])


def find_refusal(refusal_id: int, *, visible: Scope) -> Refusal | None:
    """Return the refusal, if there is one to be seen."""
    seen = Application.objects.filter(visible.applications)
    rows = Refusal.objects.filter(tracked_image__application__in=seen)
    return rows.select_related("tracked_image__application").filter(pk=refusal_id).first()


def deployed(image: TrackedImage) -> tuple[Promotion, ...]:
    """Return the latest releases of an image that reached the cluster, newest first."""
    rows = image.promotions.filter(
        status__in=[Status.SUCCEEDED, Status.FAILED], ended_at__isnull=False
    )
    return tuple(rows.defer("plan", "subject").order_by("-created_at")[:HISTORY])


def _matching(wanted: Wanted) -> QuerySet[Application]:
    return Application.objects.present().filter(_named(wanted) & _condition(wanted.show))


def _named(wanted: Wanted) -> Q:
    condition = wanted.visible.applications
    if wanted.project:
        condition &= Q(project=wanted.project)
    if wanted.text:
        condition &= (
            Q(name__icontains=wanted.text)
            | Q(namespace__icontains=wanted.text)
            | Q(project__icontains=wanted.text)
        )
    return condition


def _condition(show: Show) -> Q:
    pending = Promotion.objects.pending().values("application")
    return {
        Show.MANAGED: Q(is_managed=True),
        Show.PENDING: Q(pk__in=pending),
        Show.PROBLEMS: Q(is_managed=True) & ~Q(problems=[]),
        Show.ILL: Q(is_managed=True) & _ILL,
        Show.UNMANAGED: Q(is_managed=False),
        Show.ALL: Q(),
    }[show]


def _rows(applications: Iterable[Application]) -> tuple[Row, ...]:
    shown = list(applications)
    scans = _scans(shown)
    pending = dict(
        Promotion.objects.pending()
        .filter(application__in=shown)
        .values_list("application")
        .annotate(found=Count("pk"))
    )
    return tuple(
        Row(
            application=application,
            scan=scans.get(application.pk, Scan()),
            pending=pending.get(application.pk, 0),
        )
        for application in shown
    )


def _scans(applications: Iterable[Application]) -> dict[int, Scan]:
    failing = ~Q(image_repository__error_code="") & Q(image_repository__isnull=False)
    rows = (
        TrackedImage.objects.filter(application__in=applications, removed_at=None)
        .values_list("application")
        .annotate(
            images=Count("pk"),
            scanned_at=Max("image_repository__scanned_at"),
            failing=Count("pk", filter=failing),
        )
    )
    return {key: Scan(images, scanned_at, failing) for key, images, scanned_at, failing in rows}
