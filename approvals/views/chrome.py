"""What stands around every page: the time, the theme, who is signed in, how much is pending."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from approvals import permissions
from approvals.permissions import Action
from approvals.presenters import times
from approvals.queries import counts, holds
from approvals.views import sight

THEMES = ("system", "light", "dark")
THEME_COOKIE = "theme"


def context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page; for strangers only what costs no query."""
    theme = theme_of(request)
    around: dict[str, Any] = {
        "now": timezone.now(),
        "theme": theme,
        "next_theme": THEMES[(THEMES.index(theme) + 1) % len(THEMES)],
        "request_id": getattr(request, "request_id", ""),
    }
    user = getattr(request, "user", None)
    if isinstance(user, User) and user.is_authenticated:
        around |= _for_person(request, user, around["now"])
    return around


def theme_of(request: HttpRequest) -> str:
    """Return the chosen theme; anything strange in the cookie is the system's."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "system"


def _for_person(request: HttpRequest, user: User, now: datetime) -> dict[str, Any]:
    roles = permissions.roles_of(user, bound=sight.policy_of(request).bindings)
    if not roles:
        return {"roles": ()}
    visible = sight.visible_to(request)
    may_review = permissions.carries(roles, Action.REVIEW)
    figures = counts.around(
        visible,
        reviewable=sight.scope_of(request, Action.REVIEW) if may_review else None,
        person_id=user.pk,
        at=now,
    )
    # One query more, only while everything is held.
    stop = holds.find(figures.stop, visible=visible) if figures.stop is not None else None
    return {
        "roles": sorted(roles),
        "may_view_audit": bool(roles.intersection(permissions.roles_with(Action.VIEW_AUDIT))),
        "may_review": may_review,
        "pending_count": figures.pending,
        "review_count": figures.reviews,
        "needs_person": figures.needs_person,
        "hold_count": figures.holds,
        "stop": stop,
        "may_lift_stop": stop is not None and sight.may_everywhere(request, Action.HOLD),
        "banner": _banner(figures, now),
    }


def _banner(figures: counts.Around, now: datetime) -> str:
    limit = timedelta(seconds=10 * settings.INVENTORY_SECONDS)
    if figures.cluster_seen_at is None or now - figures.cluster_seen_at <= limit:
        return ""
    seen = times.ago(figures.cluster_seen_at, now)
    return f"Applications were last read {seen}. What you see of the cluster may be out of date."
