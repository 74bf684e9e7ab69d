"""What decisions depend on, read from the database: people, approvals, authors. A fixed number of queries."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F

from approvals import permissions
from approvals.models import Decision, Promotion
from approvals.permissions import Action, Binding
from approvals.policy.document import Document
from approvals.policy.effective import EMERGENCY, NORMAL, ROLLBACK, Effective
from approvals.policy.evaluation import Approval, Author, Authors, Facts, Person
from approvals.policy.store import Policy
from approvals.policy.targets import Target
from updater.models import Application, ImageManifest

IN_CLUSTER = "https://kubernetes.default.svc"
MAX_AUTHORS = 100
_ADDRESS = re.compile(r"[^\s<>,;\"'()]{1,120}@[^\s<>,;\"'()]{1,120}")


def standing_approvals(promotion: Promotion) -> tuple[Decision, ...]:
    """Return the approvals that count: of this revision, not voided. Uses a prefetch if there is one."""
    return tuple(
        decision
        for decision in promotion.decisions.all()
        if decision.verb == Decision.Verb.APPROVE
        and decision.revision == promotion.revision
        and decision.voided_at is None
    )


def mode_of(promotion: Promotion) -> str:
    """Return which quorum a promotion needs: the normal one, or that of a way out."""
    return promotion.kind if promotion.kind in (ROLLBACK, EMERGENCY) else NORMAL


def targets_of(applications: Iterable[Application]) -> dict[int, Target]:
    """Return the Applications as rules see them; their manifests, which may not be loaded, are not."""
    chosen = {row.pk: row for row in applications}
    rows = Application.objects.filter(pk__in=chosen).values_list(
        "pk", "manifest__metadata__labels", "manifest__spec__destination"
    )
    return {pk: _target(chosen[pk], labels, destination) for pk, labels, destination in rows}


def gather(
    promotions: Sequence[Promotion],
    effective: Mapping[UUID, Effective],
    *,
    policy: Policy,
    viewer: User | None,
    at: datetime,
) -> dict[UUID, Facts]:
    """Return the facts of each promotion."""
    approvals, automatic = _approvals(promotions)
    bound = bindings_of(policy.document)
    deciders = list(permissions.people_with(Action.DECIDE, bound))
    here = _People(deciders, viewer, bound)
    builders = _builders(promotions, effective, policy.document)
    authors = _commit_authors(promotions, effective, policy.document)
    found = {}
    for promotion in promotions:
        people, viewing = here.at(promotion.application)
        found[promotion.pk] = Facts(
            at=at,
            expires_at=promotion.expires_at,
            status=promotion.status,
            is_what=promotion.is_what,
            status_sentence=promotion.status_reason,
            mode=mode_of(promotion),
            requested_by=promotion.requested_by,
            plan_error=str(promotion.plan.get("error") or ""),
            closed=policy.closed,
            approvals=approvals.get(promotion.pk, ()),
            automatic=automatic.get(promotion.pk),
            people=people,
            viewer=viewing,
            builder=builders.get(promotion.pk, Authors()),
            commit_authors=authors.get(promotion.pk, Authors()),
            identities=policy.document.identities,
        )
    return found


def people_of(applications: Iterable[Application], policy: Policy) -> dict[int, tuple[Person, ...]]:
    """Return who may decide for each Application, by its primary key."""
    bound = bindings_of(policy.document)
    here = _People(list(permissions.people_with(Action.DECIDE, bound)), None, bound)
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


def addresses(text: str) -> list[str]:
    """Return the e-mail addresses in a label, or its comma separated names when it has none."""
    text = text[:4000]
    found = _ADDRESS.findall(text) or [name.strip() for name in text.split(",")]
    return [name[:250] for name in dict.fromkeys(found) if name][:MAX_AUTHORS]


def _target(application: Application, labels: object, destination: object) -> Target:
    labels = labels if isinstance(labels, dict) else {}
    destination = destination if isinstance(destination, dict) else {}
    names = [destination.get("name"), destination.get("server")]
    clusters = [str(name) for name in names if name]
    if not clusters or IN_CLUSTER in clusters or "in-cluster" in clusters:
        clusters.append(application.cluster)
    return Target(
        project=application.project,
        full_name=application.full_name,
        namespace=str(destination.get("namespace") or ""),
        clusters=tuple(clusters),
        labels=frozenset((str(key), str(value)) for key, value in labels.items()),
    )


def _approvals(
    promotions: Sequence[Promotion],
) -> tuple[dict[UUID, tuple[Approval, ...]], dict[UUID, Decision]]:
    """Return what people approved, and what the policy did."""
    # Read anew, never from a prefetch: the question may be whether the one just written completes it.
    rows = Decision.objects.filter(
        promotion__in=[row.pk for row in promotions],
        revision=F("promotion__revision"),
        verb=Decision.Verb.APPROVE,
        voided_at=None,
    )
    found: dict[UUID, tuple[Approval, ...]] = {}
    automatic: dict[UUID, Decision] = {}
    for row in rows.select_related("by").order_by("at"):
        if row.by is None:
            automatic[row.promotion_id] = row
            continue
        before = found.get(row.promotion_id, ())
        found[row.promotion_id] = (*before, Approval(row.by.get_username(), row))
    return found, automatic


class _People:
    """Who everybody is for an Application; Applications under the same bindings share the answer."""

    def __init__(
        self, deciders: Sequence[User], viewer: User | None, bound: Sequence[Binding]
    ) -> None:
        self._deciders = [(user, _groups(user)) for user in deciders]
        self._viewer = [(viewer, _groups(viewer))] if viewer is not None else []
        self._bound = bound
        self._known: dict[tuple[Binding, ...], tuple[tuple[Person, ...], Person | None]] = {}

    def at(self, application: Application) -> tuple[tuple[Person, ...], Person | None]:
        """Return who may decide for the Application, and the viewer."""
        held = tuple(item for item in self._bound if item.covers(application))
        if held not in self._known:
            people = (_person(user, groups, held) for user, groups in self._deciders)
            viewers = [_person(user, groups, held) for user, groups in self._viewer]
            deciding = tuple(person for person in people if person.may_decide)
            self._known[held] = deciding, viewers[0] if viewers else None
        return self._known[held]


def _groups(user: User) -> frozenset[str]:
    return frozenset(group.name for group in user.groups.all())


def _person(user: User, groups: frozenset[str], held: Sequence[Binding]) -> Person:
    roles = permissions.roles_by(user.username, groups, held)
    return Person(
        username=user.get_username(),
        full_name=user.get_full_name(),
        email=user.email,
        groups=groups,
        roles=frozenset(str(role) for role in roles) if user.is_active else frozenset(),
        may_decide=user.is_active and permissions.carries(roles, Action.DECIDE),
    )


def _builders(
    promotions: Sequence[Promotion], effective: Mapping[UUID, Effective], document: Document
) -> dict[UUID, Authors]:
    wanted = [row.pk for row in promotions if "builder" in effective[row.pk].exclude]
    if not wanted:
        return {}
    rows = ImageManifest.objects.filter(candidates__promotions__in=wanted).values_list(
        "candidates__promotions", "labels", "platforms"
    )
    found = {pk: _builder(labels, platforms, document) for pk, labels, platforms in rows}
    return {pk: found.get(pk, Authors(problem="the image's labels were not read")) for pk in wanted}


def _builder(labels: object, platforms: object, document: Document) -> Authors:
    images = platforms if isinstance(platforms, list) else []
    several = [labels, *(image.get("labels") for image in images if isinstance(image, dict))]
    texts = [
        str(found[name])
        for found in several
        if isinstance(found, dict)
        for name in document.builder_labels
        if found.get(name)
    ]
    people = _without_ignored([name for text in texts for name in addresses(text)], document)
    if not texts:
        return Authors(problem=f"the image has no label {' or '.join(document.builder_labels)}")
    return Authors(tuple(Author(name) for name in people))


def _commit_authors(
    promotions: Sequence[Promotion], effective: Mapping[UUID, Effective], document: Document
) -> dict[UUID, Authors]:
    wanted = [row.pk for row in promotions if "commit-authors" in effective[row.pk].exclude]
    if not wanted:
        return {}
    rows = Promotion.objects.filter(pk__in=wanted).values_list("pk", "to_digest", "authors")
    return {pk: _authors(stored, digest, document) for pk, digest, stored in rows}


def _authors(stored: dict[str, Any], digest: str, document: Document) -> Authors:
    if stored.get("digest") != digest:  # also after the tag was pushed again
        return Authors(
            problem="the commits between the running and the proposed build were not read yet"
        )
    commits = [item for item in stored.get("commits", []) if isinstance(item, dict)]
    kept = set(_without_ignored([str(item.get("address", "")) for item in commits], document))
    at = stored.get("at")
    return Authors(
        people=tuple(
            Author(str(item["address"]), str(item.get("sha", "")))
            for item in commits
            if item.get("address") in kept
        ),
        problem=str(stored.get("problem") or ""),
        at=datetime.fromisoformat(at) if isinstance(at, str) else None,
    )


def _without_ignored(names: Iterable[str], document: Document) -> list[str]:
    ignored = [glob.lower() for glob in document.ignored_authors]
    return [name for name in names if name and not permissions.any_matches(ignored, name.lower())]
