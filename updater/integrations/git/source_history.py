"""`SourceHistory`: who had a hand in the commits between two builds. Commits only: no file is ever fetched.

The address comes from a label of an image, so it is bounded more tightly than a write-back: little time, few bytes.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from updater.integrations.git import branches, urls
from updater.integrations.git.errors import (
    CommitNotFoundError,
    HistoryTooLongError,
    MirrorDamagedError,
    NotInHistoryError,
    ObjectNotServedError,
)
from updater.integrations.git.mirror_folder import MirrorFolder
from updater.integrations.git.objects import Objects
from updater.integrations.git.process import MIB, Limits
from updater.integrations.git.transport import Git, Remote

LIMITS = Limits(seconds=30, output_bytes=4 * MIB, file_bytes=256 * MIB)
LOCK_WAIT_SECONDS = 5
MAX_ADDRESS = 250
_ADDRESS = re.compile(r"<([^<>]*)>")
_SEPARATOR = "\x1f"
_FETCH = (
    "-c", "remote.o.promisor=true", "-c", "remote.o.partialCloneFilter=tree:0",
    "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--filter=tree:0",
)  # fmt: skip
_CO_AUTHORS = "%(trailers:key=Co-authored-by,valueonly=true,unfold=true,separator=%x1f)"


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who had a hand in a commit, by the address that the commit holds."""

    sha: str
    address: str


class SourceHistory:
    """The commits of one source repository, kept here between looks."""

    def __init__(self, folder: Path, remote: Remote, *, limits: Limits = LIMITS) -> None:
        self._name = urls.redact(remote.url)
        address = urls.parse(remote.url, allow_http=remote.allow_http)
        self._folder = MirrorFolder(
            folder, url=address.location, name=self._name, wait_seconds=LOCK_WAIT_SECONDS
        )
        self._git = Git(remote, self._folder, limits)
        self._objects = Objects(self._git, folder)

    def hands(self, old: str, new: str, *, most: int) -> tuple[Hand, ...]:
        """Return authors, committers and co-authors of the commits after `old` up to `new`, newest first.

        Raises:
            NotInHistoryError: `old` is not in the history of `new`; HistoryTooLongError: more than `most` commits.
        """
        shas = [self._objects.require_sha(sha) for sha in (old, new)]
        with self._folder.locked():
            try:
                records = self._look(shas, most)
            except MirrorDamagedError:
                self._folder.renew()
                records = self._look(shas, most)
        if len(records) > most:
            raise HistoryTooLongError.of(self._name, f"over {most} commits since {old[:10]}")
        return tuple(hand for record in records for hand in _hands(record))

    def _look(self, shas: list[str], most: int) -> list[str]:
        old, new = shas
        self._objects.forget()
        self._bring(shas)
        self._require_ancestor(old, new)
        return self._log(old, new, most)

    def _bring(self, shas: list[str]) -> None:
        absent = [sha for sha in shas if not self._objects.has(sha)]
        if not absent:
            return
        wanted = [f"+{sha}:{branches.fetched(sha)}" for sha in absent]
        try:
            self._git.network(*_FETCH, "--", "o", *wanted)
        except ObjectNotServedError as error:
            raise CommitNotFoundError.of(self._name, " or ".join(absent)) from error

    def _require_ancestor(self, old: str, new: str) -> None:
        done = self._git.local("merge-base", "--is-ancestor", old, new, accept=(0, 1))
        if done.code:
            raise NotInHistoryError.of(self._name, f"{old[:10]} is not part of {new[:10]}")

    def _log(self, old: str, new: str, most: int) -> list[str]:
        done = self._git.local(
            "log", "-z", "--encoding=UTF-8", f"--max-count={most + 1}",
            f"--format=%H%n%ae%n%ce%n{_CO_AUTHORS}", new, f"^{old}", "--",
        )  # fmt: skip
        text = done.output.decode("utf-8", "replace")
        return [record for record in text.split("\0") if record]


def _hands(record: str) -> list[Hand]:
    sha, author, committer, others = [*record.split("\n", 3), "", "", ""][:4]
    named = [_address(text) for text in others.split(_SEPARATOR)]
    found = dict.fromkeys(text.strip()[:MAX_ADDRESS] for text in (author, committer, *named))
    return [Hand(sha, address) for address in found if address]


def _address(text: str) -> str:
    """Return the address of `Name <address>`, the text itself where it has none."""
    match = _ADDRESS.search(text)
    return match[1] if match else " ".join(text.split())
