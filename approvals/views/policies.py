"""The policy page: what stands, what holds for one Application and why, and how the file changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from approvals import policy
from approvals.forms import PolicyFilterForm
from approvals.models import PolicyVersion
from approvals.permissions import Action, guarded
from approvals.policy import overview
from approvals.policy.overview import Overview
from approvals.presenters import diffs
from approvals.presenters.diffs import FileDiff
from approvals.presenters.texts import visible
from approvals.queries import policies
from approvals.views import sight
from approvals.views.requests import PersonRequest
from updater import clock
from updater.models import Application

MAX_NAMES = 500  # offered to choose from; any other name can still be written
MAX_DEAD_ENDS = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions of the policy file, and their difference."""

    old: PolicyVersion | None
    new: PolicyVersion
    file: FileDiff


@require_safe
@guarded(Action.VIEW)
def policy_page(request: PersonRequest) -> HttpResponse:
    """Show the policy; with `application` what holds for it, with `new` (and `old`) what changed."""
    form, at = PolicyFilterForm(request.GET), clock.now()
    problem = "" if form.is_valid() else "This address cannot be read, so nothing is chosen."
    sees_all = sight.visible_to(request).is_everything
    managed = list(_visible(request).filter(is_managed=True)[:MAX_NAMES])
    context = {
        "section": "policy",
        "standing": policy.current(),
        "names": [row.full_name for row in managed],
        "chosen": _chosen(request, form.cleaned_data.get("application", ""), at=at),
        "dead_ends": overview.dead_ends(managed, at=at)[:MAX_DEAD_ENDS],
        "sees_all": sees_all,
        "problem": problem,
        "is_expected": bool(settings.POLICY_FILE),
        **(_file(form.cleaned_data) if sees_all else {}),
    }
    return render(request, "policy/policy.html", context, status=400 if problem else 200)


def _file(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown of the file itself: it names people and Applications of every team."""
    return {
        "versions": policies.versions(),
        "text": "\n".join(visible(line) for line in policies.standing_text().splitlines()),
        "comparison": _comparison(wanted.get("old"), wanted.get("new")),
    }


def _visible(request: PersonRequest) -> QuerySet[Application]:
    rows = Application.objects.present().filter(sight.visible_to(request).applications)
    return rows.defer("manifest").order_by("namespace", "name")


def _chosen(request: PersonRequest, name: str, *, at: datetime) -> Overview | None:
    if not name:
        return None
    namespace, _, short = name.partition("/")
    application = _visible(request).filter(namespace=namespace, name=short).first()
    if application is None:
        raise Http404("There is no such Application.")
    names = None
    if not sight.visible_to(request).is_everything:
        names = {row.full_name for row in _visible(request)}
    return overview.of(application, visible=names, at=at)


def _comparison(old_id: int | None, new_id: int | None) -> Comparison | None:
    new = policies.find(new_id)
    if new is None:
        return None
    old = policies.find(old_id) if old_id else policies.before(new)
    file = diffs.of_file("policy file", old.text if old else None, new.text)
    return Comparison(old, new, file)
