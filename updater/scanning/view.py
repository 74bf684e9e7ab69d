"""What the choice for one tracked image hangs on, as plain values: configuration, what runs, refusals. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from updater import images
from updater.configuration.model import ImageConfiguration
from updater.images import ImageReference
from updater.selection import DEFAULT_PLATFORM, Rules

# Raise it when the same facts would be chosen from differently, so every image is chosen for anew.
CHOICE_VERSION = 1


@dataclass(frozen=True, slots=True)
class StandingRefusal:
    """A digest that is not to be offered; `until_newer` refuses everything older, too."""

    tag: str
    digest: str
    until_newer: bool
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImageView:
    """One tracked image, ready to be chosen for."""

    pk: int
    configuration: ImageConfiguration
    configuration_hash: str
    live: tuple[ImageReference, ...]
    refusals: tuple[StandingRefusal, ...] = ()
    sort_mode: str = ""
    chosen_from: str = ""  # fingerprint of the inputs of the choice that stands

    @property
    def rules(self) -> Rules:
        """What the image may move to."""
        configured = self.configuration
        return Rules(
            strategy=configured.strategy,
            constraint=configured.constraint,
            allow_tags=configured.allow_tags,
            ignore_tags=configured.ignore_tags,
            platforms=configured.platforms,
            refused=frozenset(refusal.digest for refusal in self.refusals),
        )

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms whose build times count."""
        return self.configuration.platforms or (DEFAULT_PLATFORM,)

    @property
    def live_tag(self) -> str | None:
        """The running tag, if a container runs."""
        return self.live[0].tag if self.live else None

    def fingerprint(self, tags: str) -> str:
        """Name everything the choice hangs on; `tags` is the fingerprint of the tags and digests."""
        inputs: list[Any] = [CHOICE_VERSION, self.configuration_hash, self.sort_mode, tags]
        inputs.append([images.name_with_tag(reference) for reference in self.live])
        inputs.append([[one.digest, one.tag, one.until_newer] for one in self.refusals])
        return _hash(json.dumps(inputs))


def live_references(texts: Sequence[str]) -> tuple[ImageReference, ...]:
    """Return the readable ones of what Argo CD reports as running."""
    found = []
    for text in texts:
        try:
            found.append(images.parse(text))
        except images.ImageReferenceError:
            continue  # what pods say may be anything; it is simply not this image
    return tuple(found)


def tags_fingerprint(digests: Mapping[str, str], *, is_ordered: bool) -> str:
    """Name a state of tags and digests; the order counts only where the registry sorts by time."""
    lines = [f"{name}@{digest}" for name, digest in digests.items()]
    return _hash("\n".join(lines if is_ordered else sorted(lines)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
