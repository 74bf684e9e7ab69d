"""Who else writes what we write: Argo CD Image Updater or another machine (design, decision 8.7). Pure.

People may change the same file; that is what the seal is for. A machine that does it again and again undoes what
was approved, so it is named. Only traces since we have known the Application count: what wrote before us may be gone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from updater.configuration import untrusted
from updater.configuration.findings import printable

IMAGE_UPDATER = "Argo CD Image Updater"
FRESH = timedelta(minutes=15)  # its cycle is two minutes unless somebody chose a longer one
MAX_NAMED = 5
_UPDATERS_MAIL = "noreply@argoproj.io"
_UPDATERS_NAME = "argocd-image-updater"
_UPDATERS_SUBJECT = "build: automatic update of "
_MACHINE = re.compile(
    r"\[bot\]|(?<![a-z])bot(?![a-z])|renovate|dependabot|fluxcd|flux-system|image-automation|keel",
    re.I,
)
_OUR_MANAGER = "countersign"


class Commit(Protocol):
    """A commit as a list shows it."""

    @property
    def sha(self) -> str: ...  # noqa: D102
    @property
    def author_name(self) -> str: ...  # noqa: D102
    @property
    def author_email(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def committed_at(self) -> datetime: ...  # noqa: D102


def of_commits(commits: Iterable[Commit], *, ours: str) -> list[str]:
    """Return the machines that changed the file since our last commit to it; `commits` are newest first.

    `ours` is the e-mail address that we commit with.
    """
    found: dict[str, str] = {}
    for commit in commits:
        if commit.author_email == ours:
            break  # what wrote before us has stopped, as far as anybody can see
        if name := _machine(commit):
            told = f"{name} (commit {commit.sha[:8]}, {commit.committed_at:%Y-%m-%d %H:%M})"
            found.setdefault(name, told)
    return list(found.values())[:MAX_NAMED]


def of_live(manifest: Mapping[str, Any], *, since: datetime) -> list[str]:
    """Return the image updater if it owns fields of the Application's source that it wrote after `since`."""
    for entry in untrusted.items(manifest, "metadata", "managedFields"):
        manager, at = untrusted.text(entry, "manager"), _moment(untrusted.text(entry, "time"))
        spec = untrusted.mapping(entry, "fieldsV1", "f:spec")
        writes = "f:source" in spec or "f:sources" in spec
        if writes and at and at > since and manager.startswith(_UPDATERS_NAME):
            return [f"{IMAGE_UPDATER} (patched the Application, {at:%Y-%m-%d %H:%M})"]
    return []


def of_resources(resources: Sequence[object], *, at: datetime) -> list[str]:
    """Return the image updater if it looked after one of these ImageUpdater resources just now."""
    for resource in resources:
        seen = _moment(untrusted.text(resource, "status", "lastCheckedAt"))
        if seen and abs(at - seen) <= FRESH:
            name = printable(untrusted.text(resource, "metadata", "name"))
            return [f"{IMAGE_UPDATER} (works on ImageUpdater {name}, {seen:%Y-%m-%d %H:%M})"]
    return []


def _machine(commit: Commit) -> str:
    is_updater = (
        commit.author_email == _UPDATERS_MAIL
        or commit.author_name == _UPDATERS_NAME
        or commit.subject.startswith(_UPDATERS_SUBJECT)
    )
    if is_updater:
        return IMAGE_UPDATER
    is_machine = _MACHINE.search(commit.author_name) or _MACHINE.search(commit.author_email)
    return printable(commit.author_name or commit.author_email)[:80] if is_machine else ""


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
