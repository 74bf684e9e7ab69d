"""Kustomize image strings `[name=]image[:tag][@digest]`: which of them are about one image."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from updater import images
from updater.images import ImageReference, ImageReferenceError


@dataclass(frozen=True, slots=True)
class ImageString:
    """One string, and the key of the image it is written for."""

    text: str
    image: str = ""

    @property
    def name(self) -> str:
        """The name that the manifests use for the image."""
        return self.text.partition("=")[0] if "=" in self.text else images.full_name(self.reference)

    @property
    def replaced_name(self) -> str:
        """The part before `=`, "" when there is none."""
        return self.text.partition("=")[0] if "=" in self.text else ""

    @property
    def reference(self) -> ImageReference:
        """The image that is to run."""
        return images.parse(self.text.rpartition("=")[2], exact=True)


def find_same(strings: Sequence[str], new: ImageString, *, exact: bool) -> list[int]:
    """Return the places of the strings about the same image, registry included (3.5)."""
    return [place for place, text in enumerate(strings) if _is_same(text, new, exact=exact)]


def replaces(old: str, new: ImageString, *, exact: bool) -> bool:
    """Tell whether the new string takes the place of an old one about the same image (3.5)."""
    before, after = ImageString(old).reference, new.reference
    if not after.tag and not after.digest:
        return False
    if not exact:
        return (before.tag, before.digest) != (after.tag, after.digest)
    if after.digest:
        return before.digest != after.digest
    return before.tag != after.tag


def merged(strings: Sequence[str], new: ImageString) -> list[str]:
    """Return an Application's list with the new string in its place (specification 3.2)."""
    kept = [new.text if _is_named_alike(text, new) else text for text in strings]
    if new.text in kept:
        return [text for place, text in enumerate(kept) if text not in kept[:place]]
    head = _head(new.text)
    if any(_head(text) == head for text in kept):
        return [new.text if _head(text) == head else text for text in kept]
    return [*kept, new.text]


def _is_same(text: str, new: ImageString, *, exact: bool) -> bool:
    try:
        old = ImageString(text).reference
    except ImageReferenceError:
        return False
    if not images.is_same_image(_canonical(new.reference), _canonical(old), exact=exact):
        return False
    names = {ImageString(text).replaced_name, new.replaced_name} - {""}
    return exact or len(names) < 2


def _canonical(reference: ImageReference) -> ImageReference:
    """Return the reference with docker.io left out, as this comparison has it in every mode."""
    registry = "" if reference.registry == images.DOCKER_HUB else reference.registry
    return ImageReference(registry, reference.repository, reference.tag, reference.digest)


def _is_named_alike(text: str, new: ImageString) -> bool:
    try:
        old = ImageString(text).reference
    except ImageReferenceError:
        return False
    names = {ImageString(text).replaced_name, new.replaced_name} - {""}
    return old.repository == new.reference.repository and len(names) < 2


def _head(text: str) -> str:
    return re.split("[=:@]", text, maxsplit=1)[0]
