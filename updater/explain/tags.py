"""`explain tags`: which tag of an image would be chosen, and why not each of the others."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from updater import images, selection
from updater.configuration import registries
from updater.errors import PermanentError, UpdaterError
from updater.explain import tags_file
from updater.images import Entry
from updater.selection import Choice, Rules, Strategy, TagFacts

# Asks the registry: image, rules, registries.conf (a path) and credential reference as given.
Fetch = Callable[[Entry, Rules, str | None, str | None], Sequence[TagFacts]]


class TagsMissingError(PermanentError):
    """Nothing to choose from: no file was given and no registry can be asked."""

    code: ClassVar[str] = "TAGS_MISSING"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the subcommand."""
    add = parser.add_argument
    add("image", help="[alias=]image[:constraint] as in an image list; commas and blanks are fine")
    add("--strategy", default="semver", help="semver, newest-build, alphabetical or digest")
    add("--allow-tags", metavar="X", help="any, or regexp:EXPRESSION")
    add("--ignore-tags", action="append", default=[], metavar="GLOB", help="may be repeated")
    add("--platform", action="append", default=[], metavar="OS/ARCH", help="may be repeated")
    add("--running", metavar="TAG", help="the tag that runs now, to mark a downgrade")
    add("--tags-file", metavar="FILE", help="JSON list of tags; else the registry is asked")
    add("--registries-conf", metavar="FILE", help="registries.conf of the image updater")
    add("--credentials", metavar="REF", help="credential reference for the registry")
    add("--exact", action="store_true", help="follow Argo CD Image Updater v1.3 to the letter")


def run(
    options: Mapping[str, Any], *, fetch: Fetch | None = None, at: datetime | None = None
) -> tuple[dict[str, Any], int]:
    """Return the choice, and 1 if the input is refused; it never raises one of our own errors.

    `at` is only used on tags from a registry: a file may speak of any time.
    """
    try:
        return _explained(options, fetch, at)
    except UpdaterError as error:
        return {"chosen": None, "error": str(error), "verdicts": []}, 1


def _explained(
    options: Mapping[str, Any], fetch: Fetch | None, at: datetime | None
) -> tuple[dict[str, Any], int]:
    entry = images.parse_entry(options["image"], exact=options["exact"])
    rules = _rules(options, entry)
    choice = selection.select(
        _tags(options, entry, rules, fetch),
        rules,
        running=(options["running"] or "").partition("@")[0] or None,
        sort_mode=_sort_mode(options, entry),
        at=None if options["tags_file"] else at,
        exact=options["exact"],
    )
    return _document(choice, rules.strategy), int(choice.error is not None)


def _rules(options: Mapping[str, Any], entry: Entry) -> Rules:
    return Rules(
        strategy=selection.parse_strategy(options["strategy"], exact=options["exact"]),
        constraint=entry.constraint,
        allow_tags=options["allow_tags"],
        ignore_tags=_items(options["ignore_tags"]),
        platforms=_items(options["platform"]),
    )


def _items(values: Iterable[str]) -> tuple[str, ...]:
    # A value may be a comma list, as it stands in an annotation.
    return tuple(item for value in values for part in value.split(",") if (item := part.strip()))


def _tags(
    options: Mapping[str, Any], entry: Entry, rules: Rules, fetch: Fetch | None
) -> Sequence[TagFacts]:
    if options["tags_file"]:
        return tags_file.load(options["tags_file"])
    if fetch is None:
        raise TagsMissingError("no registry can be asked here: give --tags-file")
    return fetch(entry, rules, options["registries_conf"], options["credentials"])


def _sort_mode(options: Mapping[str, Any], entry: Entry) -> str:
    if not options["registries_conf"]:
        return ""
    text = tags_file.read_bytes(options["registries_conf"]).decode(errors="replace")
    known = registries.load(text, exact=options["exact"])
    return known.endpoint(entry.reference).sort_mode


def _document(choice: Choice, strategy: Strategy) -> dict[str, Any]:
    chosen = choice.chosen
    return {
        "chosen": selection.written_tag(chosen, strategy) if chosen else None,
        "error": choice.error,
        "verdicts": [
            {"tag": verdict.tag, "verdict": verdict.verdict, "reason": verdict.reason}
            for verdict in choice.verdicts
        ],
    }
