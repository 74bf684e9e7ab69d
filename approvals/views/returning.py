"""What ran of each image of an Application, for how long, who approved it, and the way back to it."""

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from approvals.permissions import Action, guarded
from approvals.presenters import strips, times
from approvals.presenters.people import name_of
from approvals.queries import applications, asked, returning
from approvals.queries.returning import MAX_RELEASES, Release
from approvals.views import pages, sight
from approvals.views.requests import PersonRequest
from updater import clock
from updater.models import TrackedImage


@dataclass(frozen=True, slots=True)
class Row:
    """One release as the page shows it."""

    release: Release
    signers: str
    active_for: str


@require_safe
@guarded(Action.VIEW)
def application_releases(request: PersonRequest, namespace: str, name: str) -> HttpResponse:
    """Show what ran of one image of the Application, newest first."""
    found = applications.find(namespace, name, visible=sight.visible_to(request))
    if found is None:
        raise Http404("There is no such Application.")
    at = clock.now()
    images = [row.image for row in applications.images_of(found)]
    image = _chosen(images, request.GET.get("image", ""))
    releases = returning.releases_of(image) if image else ()
    context = {
        "section": "applications",
        "application": found,
        "images": images,
        "image": image,
        "judged_image": {"image": image},
        "rows": [_row(release, now=at) for release in releases],
        "is_cut": len(releases) == MAX_RELEASES,
        "strip": strips.of_releases([release.promotion for release in releases], now=at),
        "asked": asked.of_application(found, now=at),
        "may_execute": sight.may(request, Action.EXECUTE, found),
        "now": at,
    }
    return pages.show(request, "applications/releases", context)


def _chosen(images: list[TrackedImage], alias: str) -> TrackedImage | None:
    found = next((image for image in images if image.alias == alias), None)
    if alias and found is None:
        raise Http404("There is no such image.")
    return found or next(iter(images), None)


def _row(release: Release, *, now: datetime) -> Row:
    decided = [row for row in release.promotion.decisions.all() if row.voided_at is None]
    return Row(
        release,
        signers=", ".join(name_of(row) for row in decided),
        active_for=times.long_span((release.until or now) - release.since),
    )
