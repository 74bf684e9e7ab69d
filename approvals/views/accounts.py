"""Signing in and out with a local account, and the theme. Every attempt is in the audit trail."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from approvals.forms import SignInForm
from approvals.middleware import actor_of
from approvals.permissions import Action, guarded
from approvals.views.chrome import THEME_COOKIE, THEMES
from approvals.views.requests import PersonRequest
from updater import audit
from updater.audit import Actor, AuditKind

_YEAR_SECONDS = 365 * 86400
_NOT_KNOWN = "This account and password do not belong together. Ten wrong tries lock the account for a while."


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@guarded(Action.PUBLIC)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or sign the person in and go where they wanted to go."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(local(request, request.GET.get("next", "")))
    if request.method == "GET":
        return render(request, "accounts/sign_in.html", {"next": request.GET.get("next", "")})
    form = SignInForm(request.POST)
    user = authenticate(request, **_credentials(form)) if form.is_valid() else None
    if not isinstance(user, User):
        return _refused(request, form)
    with transaction.atomic():
        login(request, user)
        audit.record(kind=AuditKind.PERSON_SIGNED_IN, by=actor_of(request))
    return HttpResponseRedirect(local(request, request.POST.get("next", "")))


@require_POST
@guarded(Action.SIGNED_IN)
def sign_out(request: PersonRequest) -> HttpResponse:
    """End the session."""
    with transaction.atomic():
        audit.record(kind=AuditKind.PERSON_SIGNED_OUT, by=request.actor)
        logout(request)
    return HttpResponseRedirect(reverse("approvals:sign-in"))


@require_POST
@guarded(Action.PUBLIC)
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie and go back."""
    response = HttpResponseRedirect(local(request, request.POST.get("next", "")))
    chosen = request.POST.get("theme", "")
    response.set_cookie(
        THEME_COOKIE,
        chosen if chosen in THEMES else "system",
        max_age=_YEAR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def locked_out(
    request: HttpRequest,
    answer: HttpResponseBase | None,  # noqa: ARG001  the signature that axes calls
    credentials: dict[str, Any] | None,  # noqa: ARG001
) -> HttpResponse:
    """Answer for django-axes when an account is locked: the same for known and unknown accounts."""
    minutes = int(settings.AXES_COOLOFF_TIME * 60)
    refusal = (
        f"Too many wrong tries. This account is locked from this address for {minutes} minutes; "
        "an administrator can unlock it with `manage.py axes_reset`."
    )
    return render(request, "accounts/sign_in.html", {"refusal": refusal}, status=429)


def _credentials(form: SignInForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("username", "password")}


def _refused(request: HttpRequest, form: SignInForm) -> HttpResponse:
    username = str(form.cleaned_data.get("username", "")) if form.is_bound else ""
    stranger = actor_of(request)
    by = Actor("anonymous", "person", "page", stranger.address, stranger.request_id)
    with transaction.atomic():
        audit.record(kind=AuditKind.SIGN_IN_REFUSED, by=by, details={"username": username})
    context = {"refusal": _NOT_KNOWN, "username": username, "next": request.POST.get("next", "")}
    return render(request, "accounts/sign_in.html", context, status=401)


def local(request: HttpRequest, target: str) -> str:
    """Return the target if it is a page of ours, else the start."""
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else reverse(settings.LOGIN_REDIRECT_URL)
