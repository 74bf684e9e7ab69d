"""Who may do what: one table of roles and actions, one question, deny by default.

Roles are Django groups of these names. Every view and endpoint carries the action it needs (`guarded`),
so the guard test can walk all routes with all roles.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from updater.errors import PermanentError

Person = AbstractBaseUser | AnonymousUser


class Role(StrEnum):
    """What a person is here; somebody without a role sees nothing."""

    VIEWER = "viewer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Action(StrEnum):
    """What can be asked for."""

    PUBLIC = "public"  # sign-in, health
    SIGNED_IN = "signed-in"  # sign-out, theme
    VIEW = "view"  # Applications, promotions, releases
    DECIDE = "decide"  # approve, reject
    EXECUTE = "execute"  # retry, abort
    VIEW_AUDIT = "view-audit"
    ADMINISTER = "administer"  # tokens of others, people


_ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.VIEW}),
    Role.APPROVER: frozenset({Action.VIEW, Action.DECIDE, Action.EXECUTE, Action.VIEW_AUDIT}),
    Role.AUDITOR: frozenset({Action.VIEW, Action.VIEW_AUDIT}),
    Role.ADMINISTRATOR: frozenset({Action.VIEW, Action.VIEW_AUDIT, Action.ADMINISTER}),
}


class NotAllowedError(PermanentError):
    """The person has no right to this action; the sentence says who would have."""

    code = "not_allowed"


def roles_of(person: Person) -> frozenset[Role]:
    """Return the roles of a person; none for strangers and disabled accounts."""
    if not isinstance(person, User) or not person.is_active:
        return frozenset()
    names = person.groups.values_list("name", flat=True)
    return frozenset(role for role in Role if role in set(names))


def may(person: Person, action: Action) -> bool:
    """Whether the person may do this."""
    if action is Action.PUBLIC:
        return True
    if action is Action.SIGNED_IN:
        return bool(person.is_authenticated and person.is_active)
    return any(action in _ALLOWED[role] for role in roles_of(person))


def roles_with(action: Action) -> list[Role]:
    """Return the roles that carry the action, for "who can"."""
    return [role for role in Role if action in _ALLOWED[role]]


def require(person: Person, action: Action) -> None:
    """Raise NotAllowedError, with who may in its sentence, unless the person may do this."""
    if not may(person, action):
        who = " or ".join(roles_with(action)) or "nobody"
        raise NotAllowedError(f"This needs the role {who}, which {person} does not have.")


_F = TypeVar("_F", bound=Callable[..., Any])


def guarded(action: Action) -> Callable[[_F], _F]:
    """Write on a view what it needs; approvals.middleware refuses the request before the view runs."""

    def mark(view: _F) -> _F:
        view.required_action = action  # type: ignore[attr-defined]  # read by middleware and guard test
        return view

    return mark
