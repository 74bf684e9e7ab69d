"""The Applications: how they are, what may move in them, and why this tag and not that one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from approvals import policy
from approvals.forms import ApplicationFilterForm, TagFilterForm
from approvals.permissions import Action, guarded
from approvals.presenters import strips
from approvals.queries import applications, asked, holds, keyset, tags
from approvals.queries.applications import ImageRow, Show, Wanted
from approvals.queries.tags import Judged, Trial
from approvals.views import held, pages, sight
from approvals.views.pending import Chip
from approvals.views.requests import PersonRequest
from updater import clock
from updater.configuration import store
from updater.configuration.model import ImageConfiguration
from updater.configuration.store import StoredConfigurationError
from updater.models import Application
from updater.selection import Strategy

CHIPS = {
    Show.MANAGED: "Managed",
    Show.PENDING: "With pending",
    Show.PROBLEMS: "With problems",
    Show.ILL: "Not well",
    Show.UNMANAGED: "Not managed",
    Show.ALL: "All",
}


@dataclass(frozen=True, slots=True)
class ShownImage:
    """One image as the Application's page shows it."""

    row: ImageRow
    takes: str
    pattern: str
    details: str
    chosen_at: datetime | None


@require_safe
@guarded(Action.VIEW)
def application_list(request: PersonRequest) -> HttpResponse:
    """Show the Applications and the health of their registries."""
    form = ApplicationFilterForm(request.GET)
    wanted, problem = _wanted(request, form)
    try:
        page = applications.page(wanted, form.cleaned_data.get("after", ""))
    except keyset.CursorError as error:
        page, problem = applications.page(wanted), str(error)
    counts = applications.counts(wanted)
    context = {
        "section": "applications",
        "wanted": wanted,
        "rows": page.rows,
        "chips": [
            Chip(show, label, counts[show], wanted.show is show) for show, label in CHIPS.items()
        ],
        "shown": counts[wanted.show],
        "registries": applications.registries(),
        "next_cursor": page.next_cursor,
        "is_first": not form.cleaned_data.get("after"),
        "problem": problem,
    }
    return pages.show(request, "applications/list", context, status=400 if problem else 200)


@require_safe
@guarded(Action.VIEW)
def application(request: PersonRequest, namespace: str, name: str) -> HttpResponse:
    """Show one Application with its images, its tags' verdicts and its past."""
    found = applications.find(namespace, name, visible=sight.visible_to(request))
    if found is None:
        raise Http404("There is no such Application.")
    at = clock.now()
    images = applications.images_of(found)
    effective = policy.effective_as_read(found, sight.policy_of(request))
    context = {
        "section": "applications",
        "application": found,
        "images": [_shown(row) for row in images],
        "pending": sum(row.promotion is not None and row.promotion.is_pending for row in images),
        "scanned_at": max(
            (scan for row in images if (scan := _scanned_at(row)) is not None), default=None
        ),
        "next_scan_at": min(
            (scan for row in images if (scan := _next_scan_at(row)) is not None), default=None
        ),
        "history": applications.history_of(found),
        "asked": asked.of_application(found, now=at),
        "refused": applications.refusals_of(found),
        "may_request": sight.may(request, Action.REQUEST, found),
        "may_decide": sight.may(request, Action.DECIDE, found),
        "may_execute": sight.may(request, Action.EXECUTE, found),
        "now": at,
        **held.context(
            holds.about(found, at=at),
            found,
            may_hold=sight.may(request, Action.HOLD, found),
            min_reason=effective.min_reason_reject,
        ),
        **_judged(request, found, images, at=at),
    }
    return pages.show(request, "applications/application", context)


def _wanted(request: PersonRequest, form: ApplicationFilterForm) -> tuple[Wanted, str]:
    problem = (
        "" if form.is_valid() else "This filter cannot be read, so all managed ones are shown."
    )
    sent = form.cleaned_data.get("show", "")
    wanted = Wanted(
        show=Show(sent) if sent in set(Show) else Show.MANAGED,
        project=form.cleaned_data.get("project", ""),
        text=form.cleaned_data.get("q", ""),
        visible=sight.visible_to(request),
    )
    return wanted, problem


def _shown(row: ImageRow) -> ShownImage:
    chosen_at = row.image.choice.get("at")
    moment = datetime.fromisoformat(chosen_at) if isinstance(chosen_at, str) else None
    try:
        configuration = store.from_json(row.image.configuration)
    except StoredConfigurationError as error:
        return ShownImage(row, "nothing", "", str(error), moment)
    return ShownImage(row, *_rule(configuration), chosen_at=moment)


def _rule(configuration: ImageConfiguration) -> tuple[str, str, str]:
    takes = {
        "semver": "highest version",
        "newest-build": "newest build",
        "alphabetical": "last by name",
        "digest": "digest of one tag",
    }[configuration.strategy]
    pattern = configuration.constraint or (configuration.allow_tags or "").removeprefix("regexp:")
    details = [
        f"ignores {', '.join(configuration.ignore_tags)}" if configuration.ignore_tags else "",
        f"for {', '.join(configuration.platforms)}" if configuration.platforms else "",
        f"constraint {configuration.constraint}"
        if configuration.constraint and configuration.allow_tags
        else "",
    ]
    return takes, pattern, "; ".join(filter(None, details))


def _judged(
    request: PersonRequest, found: Application, images: tuple[ImageRow, ...], *, at: datetime
) -> dict[str, Any]:
    form = TagFilterForm(request.GET)
    form.is_valid()
    alias = form.cleaned_data.get("image", "")
    chosen = next((row for row in images if row.image.alias == alias), None)
    if alias and chosen is None:
        raise Http404(f"{found} has no such image.")
    chosen = chosen or next(iter(images), None)
    first = form.cleaned_data.get("tags_from") or 0
    trial = _trial(form)
    judged = (
        tags.judged(chosen.image, at=at, first=first, trial=trial)
        if chosen
        else Judged((), 0, "", 0)
    )
    releases = applications.deployed(chosen.image) if chosen else ()
    return {
        "judged": judged,
        "judged_image": chosen,
        "trial": trial,
        "is_trial": trial != Trial(),
        "strategies": list(Strategy),
        "strip": strips.of_releases(releases, now=at),
    }


def _trial(form: TagFilterForm) -> Trial:
    """Return the rules to try; a field that cannot be read is left as configured."""
    sent = form.cleaned_data
    ignored = str(sent.get("ignore_tags", "")).split(",")
    return Trial(
        strategy=sent.get("strategy", ""),
        constraint=sent.get("constraint", ""),
        allow_tags=sent.get("allow_tags", ""),
        ignore_tags=tuple(glob.strip() for glob in ignored if glob.strip()),
    )


def _scanned_at(row: ImageRow) -> datetime | None:
    repository = row.image.image_repository
    return repository.scanned_at if repository else None


def _next_scan_at(row: ImageRow) -> datetime | None:
    repository = row.image.image_repository
    return repository.next_scan_at if repository else None
