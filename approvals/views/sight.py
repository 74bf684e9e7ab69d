"""Which Applications the person of a request may see; read once a request."""

from django.http import HttpRequest

from approvals import permissions
from approvals.permissions import Action
from approvals.queries.scopes import Scope


def visible_to(request: HttpRequest) -> Scope:
    """Return what the person may look at."""
    found = getattr(request, "sight", None)
    if not isinstance(found, Scope):
        found = Scope(permissions.applications_for(request.user, Action.VIEW))
        request.sight = found  # type: ignore[attr-defined]  # remembered for the frame and the view
    return found


def decidable_by(request: HttpRequest) -> Scope:
    """Return the Applications whose promotions the person may decide."""
    return Scope(permissions.applications_for(request.user, Action.DECIDE))


def reviewable_by(request: HttpRequest) -> Scope:
    """Return the Applications whose emergencies the person may review."""
    return Scope(permissions.applications_for(request.user, Action.REVIEW))
