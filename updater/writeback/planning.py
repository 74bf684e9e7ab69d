"""Decides what is written where, for changes of one Application (specification 3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from updater.configuration import methods
from updater.configuration.model import ApplicationConfiguration
from updater.writeback import live_patch, messages, source, warnings
from updater.writeback.git_file import ReadFile, Writer
from updater.writeback.model import FileChange, ImageChange, Plan, WriteBackError
from updater.writeback.source import Source
from updater.writeback.wanted import Wanted, collect


def plan(
    *,
    manifest: Mapping[str, Any],
    configuration: ApplicationConfiguration,
    changes: Sequence[ImageChange],
    read_file: ReadFile,
    commit_template: str | None = None,
    exact: bool = False,
) -> Plan:
    """Return everything that would be written; nothing is.

    Raises:
        WriteBackError: the configuration, a change or the file does not allow it.
    """
    _require_usable(configuration, changes)
    wanted = collect(configuration, changes, exact=exact)
    by_key = {image.key: image for image in configuration.images}
    pairs = [(by_key[change.key], change) for change in changes]
    text, notes = messages.message(configuration, pairs, commit_template, exact=exact)
    write_back = configuration.write_back
    chosen = source.pick(manifest, write_back)
    if write_back.method != methods.GIT:
        return _live(configuration, chosen, wanted, text, notes, exact=exact)
    branch = messages.branch(configuration, pairs, exact=exact)
    written = Writer(configuration, chosen, wanted, read_file, exact=exact).write()
    edited = written.edited
    is_changed = edited.content != written.before
    change = FileChange(written.path, written.before, edited.content)
    return Plan(
        method=write_back.method,
        repository=write_back.repository,
        base_branch=write_back.base_branch,
        branch=branch,
        message=text,
        files=(change,) if is_changed else (),
        edits=edited.edits if is_changed else (),
        warnings=(*notes, *warnings.of_git(configuration, chosen, written.path, edited.content)),
    )


def _require_usable(
    configuration: ApplicationConfiguration, changes: Sequence[ImageChange]
) -> None:
    for problem in configuration.problems:
        if problem.fatal and problem.alias is None:
            raise WriteBackError(f"{problem.key}: {problem.message}")
    if not configuration.managed:
        raise WriteBackError(f"{configuration.name} is not managed: give it an image list.")
    if not changes:
        raise WriteBackError("There is no change: name at least one image and its tag.")


def _live(
    configuration: ApplicationConfiguration,
    chosen: Source,
    wanted: Sequence[Wanted],
    text: str,
    notes: Sequence[str],
    *,
    exact: bool,
) -> Plan:
    # Upstream rewrites what does not move, too; we leave it alone.
    due = [one for one in wanted if exact or one.is_changed]
    found = live_patch.make(chosen, due, configuration.source_type or "")
    return Plan(
        method=configuration.write_back.method,
        repository=None,
        base_branch=None,
        branch=None,
        message=text,
        edits=found.edits,
        argocd_patch=found.patch,
        warnings=(*notes, *warnings.of_live(chosen.manifest)),
    )
