"""Finds each configured image among those that Argo CD says are running (specification 2.3)."""

from collections import defaultdict
from collections.abc import Iterable

from updater import images
from updater.configuration.model import ImageConfiguration
from updater.images import ImageReference


class RunningImages:
    """The entries of `status.summary.images` that could be read, literal, by image."""

    def __init__(self, texts: Iterable[str], *, exact: bool) -> None:
        self._exact = exact
        # By the last part of the name, which equal images share: thousands of entries stay cheap.
        self._entries: dict[str, list[tuple[str, ImageReference]]] = defaultdict(list)
        for text in texts:
            reference = _read(text, exact=exact)
            if reference is not None:
                self._entries[_last_part(reference)].append((text, reference))

    def of(self, image: ImageConfiguration) -> tuple[str, ...]:
        """Return the entries that are this image: by its kustomize name first, then by its own."""
        named = _read(image.kustomize.name, exact=self._exact) if image.kustomize.name else None
        for wanted in (named, image.reference):
            found = self._same(wanted) if wanted else ()
            if found:
                return found
        return ()

    def _same(self, wanted: ImageReference) -> tuple[str, ...]:
        return tuple(
            text
            for text, live in self._entries[_last_part(wanted)]
            if images.is_same_image(wanted, live, exact=self._exact)
        )


def _read(text: str, *, exact: bool) -> ImageReference | None:
    try:
        return images.parse(text, exact=exact)
    except images.ImageReferenceError:
        return None  # a pod may name anything; an unreadable entry is no image of ours


def _last_part(reference: ImageReference) -> str:
    return reference.repository.rpartition("/")[2]
