"""Which tag is the newest that is allowed, and why not the others (specification 2.4 to 2.8). Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What is known of one tag; metadata is None where nobody asked for it."""

    name: str
    digest: str | None = None
    created: datetime | None = None
    platforms: tuple[str, ...] | None = None
    position: int | None = None  # place in the registry's list, for tagsortmode


@dataclass(frozen=True, slots=True)
class Verdict:
    """One tag's fate: `chosen`, `candidate` (allowed, not the newest), `rejected`, with the rule in words."""

    tag: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen tag (None: no candidate), an error sentence (None: none), and a verdict per tag."""

    chosen: TagFacts | None
    error: str | None
    verdicts: tuple[Verdict, ...]
