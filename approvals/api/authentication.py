"""Who calls: a session (with CSRF token) or `Authorization: Token …`; and the door that is shut by default."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from approvals import permissions, tokens
from approvals.models import ApiToken
from approvals.permissions import Action
from updater.audit import Actor

if TYPE_CHECKING:  # REST framework reads the settings, which name this module, to make its views
    from rest_framework.views import APIView


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token cs_…`, compared by hash; expired, revoked and disabled ones are refused alike."""

    keyword = b"token"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the token's person, or None when the request carries no token."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword:
            return None
        if len(words) != 2:
            raise AuthenticationFailed("Send one token: Authorization: Token <token>.")
        token = tokens.find(words[1].decode("ascii", "replace"))
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  REST framework's signature
        """Return the challenge, which makes refusals 401 instead of 403."""
        return "Token"


class DenyByDefault(BasePermission):
    """Allow only what the endpoint's `required_action` allows; an endpoint without one answers nobody."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the caller may."""
        action: Action | None = getattr(view, "required_action", None)
        return action is not None and permissions.may(request.user, action)


class IsKnownPerson(BasePermission):
    """Allow whoever may see the product: the schema tells its routes."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002
        """Whether the caller has any role."""
        return permissions.may(request.user, Action.VIEW)


def person_of(request: Request) -> User:
    """Return the person who calls; endpoints that need a right are never reached by strangers."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def actor_of(request: Request) -> Actor:
    """Return who calls, for the audit trail: from session or token, never from the body."""
    plain: Any = request._request  # noqa: SLF001  the middleware's id is on Django's own request
    return Actor(
        name=request.user.get_username(),
        kind="person",
        via="api",
        address=request.META.get("REMOTE_ADDR", ""),
        request_id=getattr(plain, "request_id", ""),
        user_id=request.user.pk,
    )
