"""Tag lists: one page's parsing, and what a whole list is."""

from dataclasses import dataclass

from updater.integrations.registry.decoding import decode_object
from updater.integrations.registry.errors import BadAnswerError
from updater.integrations.registry.names import is_tag


@dataclass(frozen=True, slots=True)
class TagList:
    """Tags in the registry's order, without doubles; `reason` says why an incomplete list ended."""

    names: tuple[str, ...]
    is_complete: bool
    dropped: int  # members that are no tags by the specification
    pages: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TagPage:
    """The tags of one answer."""

    names: tuple[str, ...]
    dropped: int


def parse_page(body: bytes, *, repository: str, what: str, max_values: int) -> TagPage:
    """Return the tags of one page; members that are no tags are dropped and counted.

    Raises:
        BadAnswerError: the body is not a tag list of this repository.
    """
    page = decode_object(body, what=what, max_values=max_values)
    _check_name(page.get("name"), repository, what)
    tags = page.get("tags", False)
    if tags is None:  # what a registry says of a repository that lost its last tag
        return TagPage((), 0)
    if not isinstance(tags, list):
        raise BadAnswerError(f"{what}: `tags` is not a list.")
    names = tuple(tag for tag in tags if is_tag(tag))
    return TagPage(names, len(tags) - len(names))


def _check_name(name: object, repository: str, what: str) -> None:
    # An answer to another request. Proxies cut or add leading parts of the name, so one must end the other.
    if name is None:
        return
    if not isinstance(name, str) or not (name.endswith(repository) or repository.endswith(name)):
        raise BadAnswerError(f"{what}: the answer is about another repository.")
