"""Who may do what: one table of roles and actions, one question, deny by default.

A person holds a role through a Django group of its name (everywhere), or through a binding of the policy
file (everywhere, or for some projects and Applications). Every view and endpoint carries the action it needs
(`guarded`), so the guard test can walk all routes with all roles.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet

from approvals.models import PolicyVersion
from updater import patterns
from updater.errors import PermanentError
from updater.models import Application

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
    EXECUTE = "execute"  # retry, abort, withdraw
    COMMENT = "comment"
    REQUEST = "request"  # a promotion of a chosen tag, decided as usual
    HOLD = "hold"  # hold and release
    DECLARE = "declare"  # an emergency
    REVIEW = "review"  # somebody else's emergency
    VIEW_AUDIT = "view-audit"
    ADMINISTER = "administer"  # tokens of others, people


_ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.VIEW, Action.COMMENT, Action.REQUEST}),
    Role.APPROVER: frozenset(set(Action) - {Action.ADMINISTER}),
    Role.AUDITOR: frozenset({Action.VIEW, Action.VIEW_AUDIT}),
    Role.ADMINISTRATOR: frozenset({Action.VIEW, Action.VIEW_AUDIT, Action.ADMINISTER}),
}
# These concern no single Application: a role that is bound to some Applications does not carry them.
_EVERYWHERE = frozenset({Action.VIEW_AUDIT, Action.ADMINISTER})


class NotAllowedError(PermanentError):
    """The person has no right to this action; the sentence says who would have."""

    code = "not_allowed"


@dataclass(frozen=True, slots=True)
class Binding:
    """A role for users and groups, as the policy file binds it; no globs: everywhere."""

    role: Role
    groups: frozenset[str]
    users: frozenset[str]
    projects: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()

    def binds(self, username: str, groups: Collection[str]) -> bool:
        """Whether it is for this person."""
        return username in self.users or not self.groups.isdisjoint(groups)

    @property
    def is_everywhere(self) -> bool:
        """Whether it holds for every Application."""
        return not (self.projects or self.applications)

    def covers(self, application: Application) -> bool:
        """Whether it holds for this Application: project and name must both match where they are given."""
        names = ((self.projects, application.project), (self.applications, application.full_name))
        return all(not globs or any_matches(globs, name) for globs, name in names)


Bound = (
    Sequence[Binding] | None
)  # the bindings, where the caller has read them; None: they are read


def any_matches(globs: Iterable[str], text: str) -> bool:
    """Whether a glob of the policy file matches; `*` alone matches everything."""
    return any(glob == "*" or patterns.go_match(glob, text) for glob in globs)


def bindings() -> tuple[Binding, ...]:
    """Return the bindings of the policy that stands; none before a policy file was loaded."""
    stored = PolicyVersion.objects.current().values_list("bindings", flat=True).first()
    return bindings_from(stored or ())


def bindings_from(stored: Iterable[Mapping[str, Any]]) -> tuple[Binding, ...]:
    """Return bindings as a version of the policy keeps them."""
    return tuple(
        Binding(
            Role(item["role"]),
            frozenset(item["groups"]),
            frozenset(item["users"]),
            tuple(item["projects"]),
            tuple(item["applications"]),
        )
        for item in stored
    )


def roles_of(
    person: Person, application: Application | None = None, *, bound: Bound = None
) -> frozenset[Role]:
    """Return the roles a person holds for the Application, or anywhere; none for disabled accounts."""
    if not isinstance(person, User) or not person.is_active:
        return frozenset()
    groups = {group.name for group in person.groups.all()}
    return roles_by(person.username, groups, _known(bound), application)


def roles_by(
    username: str,
    groups: Collection[str],
    bound: Iterable[Binding],
    application: Application | None = None,
) -> frozenset[Role]:
    """Return the roles that these groups and bindings give, for the Application or anywhere."""
    given = {role for role in Role if role in groups}
    for binding in bound:
        if binding.binds(username, groups) and (application is None or binding.covers(application)):
            given.add(binding.role)
    return frozenset(given)


def may(
    person: Person, action: Action, application: Application | None = None, *, bound: Bound = None
) -> bool:
    """Whether the person may do this: to the Application, or without one to any."""
    if action is Action.PUBLIC:
        return True
    if action is Action.SIGNED_IN:
        return bool(person.is_authenticated and person.is_active)
    if action in _EVERYWHERE:
        return any(action in _ALLOWED[role] for role in _roles_everywhere(person, bound))
    return any(action in _ALLOWED[role] for role in roles_of(person, application, bound=bound))


def carries(roles: Iterable[Role], action: Action) -> bool:
    """Whether one of the roles carries the action."""
    return any(action in _ALLOWED[role] for role in roles)


def roles_with(action: Action) -> list[Role]:
    """Return the roles that carry the action, for "who can"."""
    return [role for role in Role if action in _ALLOWED[role]]


def require(
    person: Person, action: Action, application: Application | None = None, *, bound: Bound = None
) -> None:
    """Raise NotAllowedError, with who may in its sentence, unless the person may do this."""
    if not may(person, action, application, bound=bound):
        raise NotAllowedError(refusal(person, action, application))


def refusal(person: Person, action: Action, application: Application | None = None) -> str:
    """Return the sentence for somebody who may not do this: which role would."""
    who = " or ".join(roles_with(action)) or "nobody"
    where = f" for {application}" if application is not None else ""
    whose = str(person) if isinstance(person, User) else "somebody who is not signed in"
    return f"This needs the role {who}{where}, which {whose} does not have."


def may_everywhere(person: Person, action: Action, *, bound: Bound = None) -> bool:
    """Whether the person may do this to every Application."""
    return carries(_roles_everywhere(person, bound), action)


def require_everywhere(person: Person, action: Action) -> None:
    """Raise NotAllowedError unless the person may do this to every Application."""
    if not may_everywhere(person, action):
        who = " or ".join(roles_with(action)) or "nobody"
        raise NotAllowedError(
            f"This needs the role {who} for every Application, which {person} does not have."
        )


def people_with(action: Action, bound: Iterable[Binding] | None = None) -> QuerySet[User]:
    """Return the active people who may do this somewhere, with their groups."""
    roles = set(roles_with(action))
    bound = [item for item in (bindings() if bound is None else bound) if item.role in roles]
    groups = {*roles, *(name for binding in bound for name in binding.groups)}
    users = {name for binding in bound for name in binding.users}
    members = User.groups.through.objects.filter(group__name__in=groups).values("user")
    found = User.objects.filter(Q(pk__in=members) | Q(username__in=users), is_active=True)
    return found.order_by("username").prefetch_related("groups")


def with_groups(people: QuerySet[User]) -> "QuerySet[User, tuple[str, str, str, str, list[str]]]":
    """Return username, first name, last name, e-mail address and the names of the groups, in one query."""
    names = User.groups.through.objects.filter(user=OuterRef("pk")).values("group__name")
    rows = people.prefetch_related(None).annotate(group_names=ArraySubquery(names))
    return rows.values_list("username", "first_name", "last_name", "email", "group_names")


def applications_for(person: Person, action: Action, *, bound: Bound = None) -> Q:
    """Return the Applications to which the person may do this, as a condition on Application rows."""
    if not isinstance(person, User) or not person.is_active:
        return Q(pk=None)
    groups = {group.name for group in person.groups.all()}
    if carries((role for role in Role if role in groups), action):
        return Q()
    held = [item for item in _known(bound) if item.binds(person.username, groups)]
    held = [item for item in held if action in _ALLOWED[item.role]]
    if any(item.is_everywhere for item in held):
        return Q()
    rows = Application.objects.only("project", "namespace", "name") if held else []
    return Q(pk__in=[row.pk for row in rows if any(item.covers(row) for item in held)])


def _roles_everywhere(person: Person, bound: Bound) -> frozenset[Role]:
    if not isinstance(person, User) or not person.is_active:
        return frozenset()
    groups = {group.name for group in person.groups.all()}
    held = [item for item in _known(bound) if item.is_everywhere]
    return roles_by(person.username, groups, held)


def _known(bound: Bound) -> Iterable[Binding]:
    return bindings() if bound is None else bound


_F = TypeVar("_F", bound=Callable[..., Any])


def guarded(action: Action) -> Callable[[_F], _F]:
    """Write on a view what it needs; approvals.middleware refuses the request before the view runs."""

    def mark(view: _F) -> _F:
        view.required_action = action  # type: ignore[attr-defined]  # read by middleware and guard test
        return view

    return mark
