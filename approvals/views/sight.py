"""What the person of a request may see and do, from the policy as it stood when the request came; read once a request.

Only pages ask here. A verb reads the policy itself, after it has locked what it decides on.
"""

from django.http import HttpRequest

from approvals import permissions, policy
from approvals.permissions import Action
from approvals.policy import Policy
from approvals.queries.scopes import Scope
from updater.models import Application


def policy_of(request: HttpRequest) -> Policy:
    """Return the policy that stood when the request came."""
    found = getattr(request, "policy", None)
    if not isinstance(found, Policy):
        found = policy.current()
        request.policy = found  # type: ignore[attr-defined]  # remembered for the frame and the view
    return found


def look_anew(request: HttpRequest) -> None:
    """Forget what was read, after a verb has refused: the page then shows what stands now."""
    for name in ("policy", "sight"):
        if hasattr(request, name):
            delattr(request, name)


def visible_to(request: HttpRequest) -> Scope:
    """Return what the person may look at."""
    found = getattr(request, "sight", None)
    if not isinstance(found, Scope):
        found = scope_of(request, Action.VIEW)
        request.sight = found  # type: ignore[attr-defined]  # remembered for the frame and the view
    return found


def scope_of(request: HttpRequest, action: Action) -> Scope:
    """Return the Applications to which the person may do this."""
    bound = policy_of(request).bindings
    return Scope(permissions.applications_for(request.user, action, bound=bound))


def may(request: HttpRequest, action: Action, application: Application | None = None) -> bool:
    """Whether the person may do this: to the Application, or without one to any."""
    bound = policy_of(request).bindings
    return permissions.may(request.user, action, application, bound=bound)


def may_everywhere(request: HttpRequest, action: Action) -> bool:
    """Whether the person may do this to every Application."""
    return permissions.may_everywhere(request.user, action, bound=policy_of(request).bindings)
