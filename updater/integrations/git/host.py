"""Everything a mirror asks of the repository's host: branches, commits, single file contents, and the push."""

from collections.abc import Collection

from updater.integrations.git import branches, outcomes
from updater.integrations.git.errors import (
    BlobTooLargeError,
    BranchNotFoundError,
    RepositoryTooLargeError,
)
from updater.integrations.git.mirror_folder import MirrorFolder
from updater.integrations.git.process import MIB
from updater.integrations.git.transport import Git

FEW_FILES_BYTES = 16 * MIB
MANY_PACKS = 50  # each fetch that brings something leaves one
# Only what brings objects or sorts them knows that file contents may be absent here. A push must not: it would ask
# for the old content, to send a smaller difference.
_PARTIAL = ("-c", "remote.o.promisor=true", "-c", "remote.o.partialCloneFilter=blob:none")
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")


class Host:
    """The other side of one mirror; the caller holds the mirror's lock."""

    def __init__(self, git: Git, folder: MirrorFolder) -> None:
        self._git = git
        self._folder = folder

    def fetch(self, branch: str) -> str:
        """Bring a branch into the mirror and return the SHA of its last commit."""
        wanted = f"+{self._head(branch)}:{branches.fetched(branch)}"
        content = "--filter=blob:none" if self._folder.is_filtered else "--no-filter"
        self._git.network(*_PARTIAL, *_FETCH, content, "--", "o", wanted)
        if self._folder.count_packs() > MANY_PACKS:
            self._git.local(*_PARTIAL, "repack", "-a", "-d", "--quiet")
        return self._folder.read_reference(branches.fetched(branch))

    def fetch_contents(self, shas: Collection[str]) -> None:
        """Bring single file contents that a filtered fetch left out."""
        quick = ("-c", "fetch.negotiationAlgorithm=noop")  # we know that none of them is here
        try:
            self._git.network(
                *_PARTIAL, *quick, *_FETCH, "--filter=blob:none", "--", "o", *sorted(shas),
                file_bytes=FEW_FILES_BYTES,
            )  # fmt: skip
        except RepositoryTooLargeError as large:
            raise BlobTooLargeError.of(self._git.name, f"over {FEW_FILES_BYTES} bytes") from large

    def default_branch(self) -> str:
        """Return the branch the host calls its default."""
        for line in self._list("--symref", "--", "o", "HEAD"):
            target, _, name = line.removeprefix("ref: ").partition("\t")
            if name == "HEAD" and target.startswith("refs/heads/"):
                return branches.check(self._git.name, target.removeprefix("refs/heads/"))
        raise BranchNotFoundError.of(self._git.name, "the host names no default branch")

    def branch_exists(self, branch: str) -> bool:
        """Whether the host has the branch now."""
        head = self._head(branch)
        return any(line.endswith(f"\t{head}") for line in self._list("--", "o", head))

    def push(self, sha: str, branch: str, *, expected: str | None) -> None:
        """Set the branch on the host from `expected` (None: absent) to `sha`, or raise."""
        head = self._head(branch)
        self._git.network(
            "-c", f"remote.o.fetch=+{head}:{branches.fetched(branch)}",
            "push", "--porcelain", "--no-verify", f"--force-with-lease={head}:{expected or ''}",
            "--", "o", f"{sha}:{head}",
            judge=outcomes.judge_push,
        )  # fmt: skip

    def delete(self, branch: str, *, expected: str) -> None:
        """Remove the branch on the host if it stands at `expected`, or raise."""
        head = self._head(branch)
        self._git.network(
            "push", "--porcelain", "--no-verify", f"--force-with-lease={head}:{expected}",
            "--", "o", f":{head}",
            judge=outcomes.judge_push,
        )  # fmt: skip

    def _head(self, branch: str) -> str:
        return branches.head(branches.check(self._git.name, branch))

    def _list(self, *arguments: str) -> list[str]:
        done = self._git.network("ls-remote", "--quiet", *arguments)
        return done.output.decode("utf-8", "replace").splitlines()
