"""The policy file as strict models: what may stand in it, and what each key means.

Every message completes "KEY VALUE …", because `reading` puts the place in front of it.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from approvals import permissions
from approvals.permissions import Action, Role
from approvals.policy.fields import (
    MAX_ITEMS,
    ApplicationGlob,
    ApplicationGlobs,
    Duration,
    Glob,
    Globs,
    Length,
    Name,
    Names,
    SomeDuration,
    Strict,
    Windows,
)
from updater.selection import Strategy

NEVER = "never"
Exclusion = Literal["requester", "builder", "commit-authors"]
Overridable = Literal["window", "soak", "upstream", "hold"]


def _is_never(value: object) -> str:
    return "(never)" if isinstance(value, str) else "(given)"


class Binding(Strict):
    """Gives a role to users and groups, everywhere or for some Applications."""

    role: Role
    groups: Names = ()
    users: Names = ()
    projects: Globs = ()
    applications: ApplicationGlobs = ()

    @model_validator(mode="after")
    def _binds_somebody(self) -> Self:
        if not (self.groups or self.users):
            raise ValueError("binds nobody; name groups or users")
        return self


class Quorum(Strict):
    """So many approvals by people with a role, or of some groups or of a list of users."""

    name: Name
    count: Annotated[int, Field(ge=1, le=20)] = 1
    role: Role | None = None
    groups: Names = ()
    users: Names = ()

    @field_validator("role")
    @classmethod
    def _can_decide(cls, role: Role | None) -> Role | None:
        if role is not None and role not in permissions.roles_with(Action.DECIDE):
            raise ValueError("is a role that may not decide; its approvals could never count")
        return role

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if bool(self.role) == bool(self.groups or self.users):
            raise ValueError("names nobody who could approve: give a role, or groups and users")
        return self


Quorums = Annotated[tuple[Quorum, ...], Field(min_length=1, max_length=20)]


class MinReason(Strict):
    """How many characters a reason must have."""

    approve: Length | None = None
    reject: Annotated[int, Field(ge=1, le=500)] | None = None


class Expiry(Strict):
    """How long a promotion stays open, and how long an approval waits for its start."""

    pending: SomeDuration | None = None
    approved: SomeDuration | None = None


class Upstream(Strict):
    """Another Application in which the same digest must be healthy, and since how long."""

    application: ApplicationGlob
    duration: Annotated[Duration, Field(alias="for")] = 0

    @field_validator("application")
    @classmethod
    def _is_one(cls, name: str) -> str:
        if re.search(r"[*?\[\\]", name):
            raise ValueError("is a glob; name one Application, as namespace/name")
        return name


class AutoApprove(Strict):
    """Conditions that must all hold for an approval without a person."""

    bump: Literal["patch", "minor", "major"] | None = None
    strategies: Annotated[tuple[Strategy, ...], Field(min_length=1)] | None = None
    tags: Annotated[tuple[Glob, ...], Field(min_length=1, max_length=MAX_ITEMS)] | None = None
    downgrade: bool = False
    healthy: bool = True

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.bump is None and self.tags is None:
            raise ValueError("limits nothing; give bump or tags, so that not every tag passes")
        return self


class Emergency(Strict):
    """The way out at night: fewer approvers, more words, and a review that is owed."""

    approvals: Quorums
    min_reason: Annotated[int, Field(ge=10, le=500)] = 20
    incident: bool = True
    review_within: SomeDuration = 86400
    overrides: tuple[Overridable, ...] = ()


class Rollback(Strict):
    """The short way back to a release that succeeded here."""

    approvals: Quorums
    overrides: tuple[Overridable, ...] = ()


_OrNever = Discriminator(_is_never)
_Never = Annotated[Literal["never"], Tag("(never)")]
AutoApproveOrNever = Annotated[_Never | Annotated[AutoApprove, Tag("(given)")], _OrNever]
EmergencyOrNever = Annotated[_Never | Annotated[Emergency, Tag("(given)")], _OrNever]


class Defaults(Strict):
    """What holds where no rule for the Application says otherwise; a key left out: the built-in value."""

    approvals: Quorums | None = None
    when_authors_unknown: Literal["warn", "one-more", "refuse"] | None = None
    min_reason: MinReason | None = None
    expires: Expiry | None = None
    supersede: Literal["keep-approved", "newest"] | None = None
    pin: Literal["tag", "digest"] | None = None
    soak: Duration | None = None
    auto_approve: AutoApproveOrNever | None = None
    emergency: EmergencyOrNever | None = None
    rollback: Rollback | None = None
    two_writers: Literal["warn", "refuse"] | None = None


class Requirements(Defaults):
    """What a rule demands; a key that is left out says nothing about it.

    The keys added here hold lists that only ever add up, so they are for rules alone: in the defaults a rule
    would silently replace them.
    """

    mandatory_groups: Names = ()
    exclude: tuple[Exclusion, ...] = ()
    upstream: Annotated[tuple[Upstream, ...], Field(max_length=20)] = ()
    windows: Windows = Windows()


class Match(Strict):
    """Which Applications a rule is for: every key that is given must match."""

    projects: Globs = ()
    applications: ApplicationGlobs = ()
    namespaces: Globs = ()
    clusters: Globs = ()
    labels: Annotated[dict[Name, Glob], Field(max_length=50)] = {}


class Rule(Requirements):
    """Demands for some Applications; without `match` for all."""

    name: Name
    match: Match = Match()

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in ("defaults", "built-in"):
            raise ValueError("is taken; call the rule something else")
        return name

    @model_validator(mode="after")
    def _labels_only_add(self) -> Self:
        # Whoever may edit an Application may label it: a label must not be able to weaken anything.
        given = {
            "auto_approve": self.auto_approve not in (None, NEVER),
            "emergency": self.emergency not in (None, NEVER),
            "rollback": self.rollback is not None,
        }
        if self.match.labels and any(given.values()):
            names = ", ".join(name for name, is_given in given.items() if is_given)
            raise ValueError(
                f"selects by labels, which an Application's owner can set, so it may only demand "
                f"more; move {names} to a rule without labels"
            )
        return self


class Document(Strict):
    """A whole policy file."""

    version: Literal[1]
    identities: Annotated[dict[Name, Name], Field(max_length=10_000)] = {}
    builder_labels: Names = ("org.opencontainers.image.authors",)
    ignored_authors: Globs = ()
    roles: Annotated[tuple[Binding, ...], Field(max_length=MAX_ITEMS)] = ()
    defaults: Defaults = Defaults()
    rules: Annotated[tuple[Rule, ...], Field(max_length=MAX_ITEMS)] = ()

    @field_validator("rules")
    @classmethod
    def _have_own_names(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        names = [rule.name for rule in rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"hold the name {twice[0]} twice; give each rule its own")
        return rules

    @field_validator("identities")
    @classmethod
    def _are_addresses(cls, identities: dict[str, str]) -> dict[str, str]:
        for address in identities:
            if address.count("@") != 1:
                raise ValueError(f"hold {address}, which is no e-mail address")
        return {address.lower(): name for address, name in identities.items()}
