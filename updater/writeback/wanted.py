"""What is to be written for each image of an Application, whichever place it is written to.

Specification 0.3, step 10: images that do not move are written too, as they run now, because a list in an
override file replaces the Application's own list.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from updater import images
from updater.configuration.fitting import effective_helm
from updater.configuration.model import ApplicationConfiguration, ImageConfiguration
from updater.images import ImageReference
from updater.overrides.image_strings import ImageString
from updater.selection import Strategy
from updater.writeback.model import ImageChange, WriteBackError

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One image and the reference that is to stand for it."""

    image: ImageConfiguration
    reference: ImageReference  # with tag and/or digest
    is_changed: bool

    @property
    def key(self) -> str:
        """The key of the image."""
        return self.image.key

    def helm(self) -> list[tuple[str, str]]:
        """Return the Helm parameters: the spec alone, or name and tag; an empty tag is left out."""
        target = effective_helm(self.image.helm)
        return self._named(target.spec, target.name, target.tag)

    def plugin(self) -> list[tuple[str, str]]:
        """Return the plugin variables."""
        target = self.image.plugin
        return self._named(target.spec, None if target.spec else target.name, target.tag)

    def kustomize(self) -> ImageString:
        """Return the Kustomize image string."""
        name = self.image.kustomize.name
        text = images.name_with_tag(self.reference)
        return ImageString(f"{name}={text}" if name else text, self.key)

    def _named(self, spec: str | None, name: str | None, tag: str | None) -> list[tuple[str, str]]:
        if spec:
            return [(spec, images.name_with_tag(self.reference))]
        pairs = [(name, images.full_name(self.reference))] if name else []
        value = images.tag_with_digest(self.reference.tag, self.reference.digest)
        return [*pairs, *([(tag, value)] if tag and value else [])]


def collect(
    configuration: ApplicationConfiguration, changes: Sequence[ImageChange], *, exact: bool
) -> list[Wanted]:
    """Return what is wanted for every image that changes or runs, in configured order.

    Raises:
        WriteBackError: a change names no usable image, or is not a tag and digest.
    """
    wanted = {change.key: change for change in changes}
    if len(wanted) != len(changes):
        raise WriteBackError("One image is named twice: name each image once.")
    usable = configuration.usable_images
    for key in wanted.keys() - {image.key for image in usable}:
        raise WriteBackError(
            f"{key} is not a usable image of {configuration.name}: check its list."
        )
    found = [_wanted(image, wanted.get(image.key), configuration.pin, exact) for image in usable]
    return [one for one in found if one is not None]


def live(image: ImageConfiguration, *, exact: bool) -> ImageReference | None:
    """Return what runs of an image: the first entry, for a tracked tag the one with that tag."""
    references = [images.parse(text, exact=exact) for text in image.live]
    if image.strategy is Strategy.DIGEST:
        tracked = [found for found in references if found.tag == image.constraint]
        references = tracked or references
    return references[0] if references else None


def _wanted(
    image: ImageConfiguration,
    change: ImageChange | None,
    pin: str,
    exact: bool,  # noqa: FBT001  private
) -> Wanted | None:
    if change is not None:
        return Wanted(image, _changed(image, change, pin), is_changed=True)
    running = live(image, exact=exact)
    if running is None or not (running.tag or running.digest):
        return None
    return Wanted(
        image, replace(image.reference, tag=running.tag, digest=running.digest), is_changed=False
    )


def _changed(image: ImageConfiguration, change: ImageChange, pin: str) -> ImageReference:
    if not _TAG.fullmatch(change.tag):
        raise WriteBackError(
            f"{change.tag[:140]!r} is not a tag: it has letters, digits, . _ and -."
        )
    if change.digest and not _DIGEST.fullmatch(change.digest):
        raise WriteBackError(
            f"{change.digest[:80]!r} is not a digest: write sha256:<64 hex digits>."
        )
    is_pinned = pin == "digest" or image.strategy is Strategy.DIGEST
    if is_pinned and not change.digest:
        raise WriteBackError(f"{image.key} is pinned by digest: name the digest of {change.tag}.")
    return replace(image.reference, tag=change.tag, digest=change.digest if is_pinned else None)
