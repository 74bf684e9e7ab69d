"""The policy read once, with what it says for some Applications: a value that a verb or a request hands on.

Nothing is remembered between two readings but how a stored text resolves, which never changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from approvals.models import Promotion
from approvals.policy import resolving, store
from approvals.policy.document import Document
from approvals.policy.effective import NORMAL, Effective
from approvals.policy.store import Policy
from approvals.policy.targets import Target
from updater.models import Application

IN_CLUSTER = "https://kubernetes.default.svc"


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy that stood when it was read, and what it says for some Applications, by their primary keys."""

    policy: Policy
    effective: Mapping[int, Effective]

    def of(self, promotion: Promotion) -> Effective:
        """Return what stands for a promotion."""
        return self.effective[promotion.application_id]


@dataclass(frozen=True, slots=True)
class _Identity:
    """A document as a cache key: one stored version is one object."""

    document: Document

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.document is other.document


@lru_cache(maxsize=8192)
def _resolved(identity: _Identity, target: Target) -> Effective:
    return resolving.resolve(identity.document, target)


def rules_of(applications: Iterable[Application], policy: Policy | None = None) -> Rules:
    """Return what this policy, or else the one that stands, says for the Applications, which are read anew for it."""
    found = policy or store.current()
    return Rules(found, effective_for(applications, found))


def rules_for(promotions: Iterable[Promotion], policy: Policy | None = None) -> Rules:
    """Return what it says for the Applications of the promotions."""
    return rules_of((row.application for row in promotions), policy)


def rules_as_read(promotion: Promotion, policy: Policy | None = None) -> Rules:
    """Return the same for one promotion whose Application was read a moment ago, where its manifest came along."""
    application, found = promotion.application, policy or store.current()
    return Rules(found, {application.pk: effective_as_read(application, found)})


def effective_as_read(application: Application, policy: Policy) -> Effective:
    """Return what a policy says for an Application that was read a moment ago, where its manifest came along."""
    if "manifest" in application.get_deferred_fields():
        return effective_for([application], policy)[application.pk]
    metadata, spec = (_part(application.manifest, name) for name in ("metadata", "spec"))
    target = _target(application, metadata.get("labels"), spec.get("destination"))
    return _resolved(_Identity(policy.document), target)


def effective_for(applications: Iterable[Application], policy: Policy) -> dict[int, Effective]:
    """Return what a policy says for each Application, by its primary key."""
    identity = _Identity(policy.document)
    targets = _targets(applications)
    return {pk: _resolved(identity, target) for pk, target in targets.items()}


def effective_of(application: Application) -> Effective:
    """Return what the policy that stands says for an Application."""
    return effective_for([application], store.current())[application.pk]


def effective_nowhere(policy: Policy) -> Effective:
    """Return what a policy says for no Application in particular."""
    return _resolved(_Identity(policy.document), resolving.NOWHERE)


def excluding(what: str, applications: Iterable[Application]) -> list[int]:
    """Return the primary keys of the Applications whose rules exclude this kind of people."""
    policy = store.current()
    if policy.closed or not any(what in rule.exclude for rule in policy.document.rules):
        return []
    found = effective_for(applications, policy)
    return [pk for pk, effective in found.items() if what in effective.exclude]


def version_of(application: Application, *, mode: str = NORMAL) -> str:
    """Return the version that is sealed: a short hash of what this Application's approvals stand under."""
    return effective_of(application).version(mode)


def _targets(applications: Iterable[Application]) -> dict[int, Target]:
    """Return the Applications as rules see them; their manifests, which may not be loaded, are not."""
    chosen = {row.pk: row for row in applications}
    rows = Application.objects.filter(pk__in=chosen).values_list(
        "pk", "manifest__metadata__labels", "manifest__spec__destination"
    )
    return {pk: _target(chosen[pk], labels, destination) for pk, labels, destination in rows}


def _part(manifest: object, name: str) -> Mapping[str, object]:
    found = manifest.get(name) if isinstance(manifest, dict) else None
    return found if isinstance(found, dict) else {}


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
