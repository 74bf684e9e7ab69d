"""What every request passes before a view: its id, its actor, whether it may, and the headers of the answer.

All are sync: one hop from the event loop to a thread a request, none in between.
"""

import logging
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from approvals import lifecycle, permissions, policy
from approvals.models import Promotion
from approvals.permissions import Action, NotAllowedError
from updater import audit
from updater.audit import Actor, AuditKind

logger = logging.getLogger(__name__)

# Trying these without the right is part of the trail.
_RECORDED = (Action.DECIDE, Action.EXECUTE, Action.HOLD, Action.COMMENT)
GetResponse = Callable[[HttpRequest], HttpResponseBase]
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # Everything that gets here is made for one person at one time; static files are answered above.
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def security_headers(get_response: GetResponse) -> GetResponse:
    """Put the strict content security policy and `no-store` on every answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


def request_ids(get_response: GetResponse) -> GetResponse:
    """Give the request an id of ours: in the log, the audit trail, error pages and X-Request-ID."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request_id = secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]  # declared in views.requests
        response = get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response

    return middleware


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks, as the audit trail keeps it: from the session, never from the body."""
    user = getattr(request, "user", None)
    return Actor(
        name=user.get_username() if isinstance(user, User) and user.is_authenticated else "",
        kind="person",
        via="page",
        address=request.META.get("REMOTE_ADDR", ""),
        request_id=getattr(request, "request_id", ""),
        user_id=user.pk if isinstance(user, User) else None,
    )


class Guard:
    """Stands before and behind every page: refuses it unless the person may, and tells when it failed."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; the hooks below do the work."""
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: Any,  # noqa: ANN401, ARG002  Django's signature
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Answer for the view when it must not run."""
        if hasattr(view, "cls"):
            return None  # an endpoint of the API: REST framework's DenyByDefault guards it
        action = getattr(view, "required_action", None)
        if action is None:
            return _unmarked(request, view)
        try:
            if isinstance(request.user, User):
                prefetch_related_objects(
                    [request.user], "groups"
                )  # every question of rights reads them
            request.actor = actor_of(request)  # type: ignore[attr-defined]  # declared in views.requests
            _require(request, action)
        except NotAllowedError as error:
            if request.user.is_authenticated and action in _RECORDED and request.method == "POST":
                _record_refusal(request, kwargs.get("promotion_id"), error)
            return _refusal(request, action, error)
        except (OperationalError, InterfaceError) as error:
            return self.process_exception(request, error)  # the session could not be read
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Make the page for what no view expected; Django makes those for 400, 403 and 404."""
        if isinstance(error, Http404 | PermissionDenied | SuspiciousOperation):
            return None
        request_id = getattr(request, "request_id", "")
        logger.error("request failed", exc_info=error, extra={"request_id": request_id})
        got_request_exception.send(sender=type(self), request=request)
        is_database = isinstance(error, OperationalError | InterfaceError)
        template, status = ("503.html", 503) if is_database else ("500.html", 500)
        # No request in the context: its processors would ask the database again.
        return HttpResponse(render_to_string(template, {"request_id": request_id}), status=status)


def _require(request: HttpRequest, action: Action) -> None:
    bound = None
    if isinstance(request.user, User) and action not in (Action.PUBLIC, Action.SIGNED_IN):
        standing = policy.current()
        request.policy = standing  # type: ignore[attr-defined]  # views.sight hands it on
        bound = standing.bindings
    permissions.require(request.user, action, bound=bound)


def _unmarked(request: HttpRequest, view: Callable[..., Any]) -> HttpResponse:
    name = f"{view.__module__}.{getattr(view, '__name__', view)}"
    if settings.DEBUG:
        raise ImproperlyConfigured(f"{name} is not marked with permissions.guarded")
    logger.error("view without a mark refused", extra={"view": name})
    return render(request, "403.html", {"sentence": "Nobody may open this page."}, status=403)


def _record_refusal(
    request: HttpRequest, promotion_id: UUID | None, error: NotAllowedError
) -> None:
    rows = Promotion.objects.with_target()
    promotion = rows.filter(pk=promotion_id).first() if promotion_id else None
    subject = lifecycle.subject_of(promotion) if promotion else audit.Subject()
    match = request.resolver_match
    verb = match.url_name if match else ""
    with transaction.atomic():
        audit.record(
            kind=AuditKind.DECISION_REFUSED,
            by=actor_of(request),
            subject=subject,
            details={"verb": verb, "code": error.code, "reason": str(error)},
        )


def _refusal(request: HttpRequest, action: Action, error: NotAllowedError) -> HttpResponse:
    if request.user.is_authenticated:
        context = {"sentence": str(error), "who_may": permissions.roles_with(action)}
        return render(request, "403.html", context, status=403)
    if "HX-Request" in request.headers or "text/event-stream" in request.headers.get("Accept", ""):
        # A fragment must not be replaced by the sign-in page: load the page anew, which goes there.
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    is_reading = request.method in ("GET", "HEAD")
    back = request.get_full_path() if is_reading else reverse(settings.LOGIN_REDIRECT_URL)
    return HttpResponseRedirect(f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': back})}")
