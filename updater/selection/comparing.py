"""Compares what runs with what was chosen (specification 2.7, 2.8, 2.10). Pure."""

from collections.abc import Sequence
from datetime import datetime

from updater import images, semver
from updater.images import ImageReference
from updater.selection import moments
from updater.selection.model import Strategy, TagFacts
from updater.semver import VersionError


def is_update(
    live: ImageReference | None,
    chosen: TagFacts,
    strategy: Strategy,
    *,
    wanted: ImageReference | None = None,
    exact: bool = False,
) -> bool:
    """Say whether what runs must change; `live` None is an image that nothing reports as running.

    `wanted` is the configured image where a kustomize name stands for it: another registry or name
    is a change, too. `exact` forgets the chosen tag's digest unless the strategy is digest, as
    upstream does: there a running digest is outdated for ever.
    """
    if live is None or (wanted and not images.is_same_image(wanted, live, exact=exact)):
        return True
    if strategy is Strategy.DIGEST:
        return live.digest is None or live.digest != chosen.digest
    if live.digest and (exact or chosen.digest):
        return exact or live.digest != chosen.digest
    return live.tag != chosen.name


def is_downgrade(
    live_tag: str | None, live_created: datetime | None, chosen: TagFacts, strategy: Strategy
) -> bool:
    """Say whether the chosen tag stands below the running one; False where nobody can know."""
    match strategy:
        case Strategy.SEMVER:
            return _is_lower_version(chosen.name, live_tag or "")
        case Strategy.ALPHABETICAL:
            return chosen.name < (live_tag or "")
        case Strategy.NEWEST_BUILD | Strategy.DIGEST:
            return _is_older(chosen.created, live_created)


def live_to_compare(
    live: Sequence[ImageReference], *, tag: str, digest: str | None
) -> ImageReference | None:
    """Pick which running container the digest strategy compares with, when several run one image.

    Those of the tag to follow come first, and among them one whose digest is stale.
    """
    of_tag = [reference for reference in live if reference.tag == tag]
    pool = of_tag or live
    stale = (reference for reference in pool if reference.digest != digest)
    return next(stale, pool[0] if pool else None)


def old_value(live: ImageReference | None) -> str:
    """Give what runs as commit messages name it: the digest if it has one, else the tag."""
    return (live.digest or live.tag or "") if live else ""


def new_value(chosen: TagFacts, strategy: Strategy) -> str:
    """Give what was chosen as commit messages name it: the digest only for strategy digest."""
    return (chosen.digest or "") if strategy is Strategy.DIGEST else chosen.name


def written_tag(chosen: TagFacts, strategy: Strategy) -> str:
    """Give the tag as it is written: `tag@digest` for strategy digest."""
    digest = chosen.digest if strategy is Strategy.DIGEST else None
    return images.tag_with_digest(chosen.name, digest)


def _is_older(chosen: datetime | None, live: datetime | None) -> bool:
    if chosen is None or live is None:
        return False
    return moments.since_epoch(chosen) < moments.since_epoch(live)


def _is_lower_version(chosen: str, live: str) -> bool:
    try:
        lower, higher = semver.parse_version(chosen), semver.parse_version(live)
    except VersionError:
        return False
    return lower.precedence < higher.precedence
