"""Which tags are looked at at all: by name only, before any metadata is fetched (specification 2.4). Pure."""

import re
from collections.abc import Iterable

from updater import patterns
from updater.patterns import Glob, PatternError, TagPattern
from updater.selection.model import Rules, Strategy, Verdict

_TAG_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class TagFilter:
    """The name rules of one image; `problem` tells why `allow-tags` lets nothing pass."""

    def __init__(self, rules: Rules, *, exact: bool = False) -> None:
        self._tracked = rules.constraint if rules.strategy is Strategy.DIGEST else None
        self._is_digest = rules.strategy is Strategy.DIGEST
        self._globs = _usable_globs(rules.ignore_tags)
        self._exact = exact
        self._allow, self.problem = _allow(rules.allow_tags)

    def objection(self, tag: str) -> str | None:
        """Say why the tag is not looked at; None when it is."""
        if not self._exact and not _TAG_NAME.fullmatch(tag):
            return "is not a valid tag name"
        if self._is_digest and tag != self._tracked:
            return (
                f"is not the tag to follow, {self._tracked}"
                if self._tracked
                else "no tag to follow is given"
            )
        if self._allow is None:
            return f"no tag is allowed: {self.problem}"
        if not self._allow.matches(tag):
            return f"does not match allow-tags {self._allow.setting}"
        return next((f"ignored by {one.pattern}" for one in self._globs if one.matches(tag)), None)


def admit(
    tags: Iterable[str], rules: Rules, *, exact: bool = False
) -> tuple[list[str], tuple[Verdict, ...]]:
    """Part the tags into those to look at, in their order, and verdicts about the others."""
    admitted: list[str] = []
    verdicts: list[Verdict] = []
    tag_filter = TagFilter(rules, exact=exact)
    for tag in tags:
        objection = tag_filter.objection(tag)
        if objection is None:
            admitted.append(tag)
        else:
            verdicts.append(Verdict(shown_tag(tag), "rejected", objection))
    return admitted, tuple(verdicts)


def shown_tag(tag: str) -> str:
    """Give a tag in a form that is safe to show: a valid one is itself."""
    return tag if _TAG_NAME.fullmatch(tag) else ascii(tag[:128])[1:-1]


def _allow(setting: str | None) -> tuple[TagPattern | None, str | None]:
    try:
        return patterns.allow_pattern(setting), None
    except PatternError as error:
        return None, str(error)


def _usable_globs(ignore_tags: tuple[str, ...]) -> list[Glob]:
    usable = []
    for pattern in ignore_tags:
        try:
            usable.append(patterns.glob(pattern))
        except PatternError:
            # As upstream: a malformed pattern ignores nothing. Configuration reports it.
            continue
    return usable
