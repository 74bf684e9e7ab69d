"""Who may decide, and who everybody is for an Application: read in one query, whatever many there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from approvals import permissions
from approvals.permissions import Action, Binding
from approvals.policy.document import Document
from approvals.policy.evaluation import Person
from approvals.policy.store import Policy
from updater.models import Application


@dataclass(frozen=True, slots=True)
class _Account:
    """What an account says of somebody, before any Application is looked at."""

    username: str
    full_name: str
    email: str
    groups: frozenset[str]
    is_active: bool = True


class People:
    """Who everybody is for an Application; Applications under the same bindings share the answer."""

    def __init__(self, document: Document, viewer: User | None = None) -> None:
        self._bound = bindings_of(document)
        self._deciders = _deciders(self._bound)
        self._viewer = [_account(viewer)] if viewer is not None else []
        self._known: dict[tuple[Binding, ...], tuple[tuple[Person, ...], Person | None]] = {}

    def at(self, application: Application) -> tuple[tuple[Person, ...], Person | None]:
        """Return who may decide for the Application, and the viewer."""
        held = tuple(item for item in self._bound if item.covers(application))
        if held not in self._known:
            people = (_person(account, held) for account in self._deciders)
            viewers = [_person(account, held) for account in self._viewer]
            deciding = tuple(person for person in people if person.may_decide)
            self._known[held] = deciding, viewers[0] if viewers else None
        return self._known[held]


def people_of(applications: Iterable[Application], policy: Policy) -> dict[int, tuple[Person, ...]]:
    """Return who may decide for each Application, by its primary key."""
    here = People(policy.document)
    return {application.pk: here.at(application)[0] for application in applications}


def bindings_of(document: Document) -> tuple[Binding, ...]:
    """Return the role bindings of a policy file."""
    return tuple(
        Binding(
            item.role,
            frozenset(item.groups),
            frozenset(item.users),
            item.projects,
            item.applications,
        )
        for item in document.roles
    )


def _deciders(bound: Sequence[Binding]) -> list[_Account]:
    rows = permissions.people_with(Action.DECIDE, bound)
    return [
        _Account(username, f"{first} {last}".strip(), email, frozenset(groups))
        for username, first, last, email, groups in permissions.with_groups(rows)
    ]


def _account(user: User) -> _Account:
    groups = frozenset(group.name for group in user.groups.all())
    return _Account(
        user.get_username(), user.get_full_name(), user.email, groups, is_active=user.is_active
    )


def _person(account: _Account, held: Sequence[Binding]) -> Person:
    roles = permissions.roles_by(account.username, account.groups, held)
    return Person(
        username=account.username,
        full_name=account.full_name,
        email=account.email,
        groups=account.groups,
        roles=frozenset(str(role) for role in roles) if account.is_active else frozenset(),
        may_decide=account.is_active and permissions.carries(roles, Action.DECIDE),
    )
