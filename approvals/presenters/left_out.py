"""Whose approval of a promotion would not count, by which commit, and what is not known about that."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from approvals.models import Promotion
from approvals.presenters import links
from approvals.presenters.texts import visible


class _Person(Protocol):
    @property
    def username(self) -> str: ...
    @property
    def why(self) -> str: ...


class _Standing(Protocol):
    @property
    def excluded(self) -> tuple[Any, ...]: ...
    @property
    def unknown(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who must not approve, why, and the link to the commit that says so."""

    username: str
    why: str
    commit: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """All of them, and what is not known."""

    people: tuple[Person, ...]
    unknown: tuple[str, ...]


def of(promotion: Promotion, standing: _Standing) -> LeftOut:
    """Return who is left out of a promotion as it stands."""
    authors: Mapping[str, Any] = promotion.authors
    return LeftOut(
        people=tuple(_person(item, authors) for item in standing.excluded),
        unknown=tuple(visible(text) for text in standing.unknown),
    )


def _person(item: _Person, authors: Mapping[str, Any]) -> Person:
    shas = [str(found.get("sha", "")) for found in authors.get("commits", [])]
    commit = next((sha for sha in shas if sha and f"commit {sha[:10]}" in item.why), "")
    link = links.commit(str(authors.get("source", "")), commit) if commit else ""
    return Person(visible(item.username), visible(item.why), commit, link)
