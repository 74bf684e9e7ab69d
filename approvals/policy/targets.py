"""What a rule can select by: the facts of an Application, and whether a rule is for it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from approvals.permissions import any_matches
from approvals.policy.document import Match


@dataclass(frozen=True, slots=True)
class Target:
    """An Application as rules see it."""

    project: str
    full_name: str  # namespace/name of the Application itself
    namespace: str  # that it deploys to
    clusters: tuple[str, ...]  # that it deploys to: every name the cluster is known by
    labels: frozenset[tuple[str, str]]


def is_for(match: Match, target: Target) -> bool:
    """Whether a rule is for this target: every selector that is given must match."""
    return (
        _selects(match.projects, [target.project])
        and _selects(match.applications, [target.full_name])
        and _selects(match.namespaces, [target.namespace])
        and _selects(match.clusters, target.clusters)
        and all(_has_label(target, key, glob) for key, glob in match.labels.items())
    )


def _selects(globs: tuple[str, ...], texts: Iterable[str]) -> bool:
    return not globs or any(any_matches(globs, text) for text in texts)


def _has_label(target: Target, key: str, glob: str) -> bool:
    return any(name == key and any_matches([glob], value) for name, value in target.labels)
