"""The one runner of the git program: cleared environment, pinned settings, limits, credentials from files."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Final

from updater.integrations.git import outcomes, private_files, process, urls
from updater.integrations.git.errors import (
    CredentialsUnusableError,
    GitProgramMissingError,
    GitTimeoutError,
    RepositoryTooLargeError,
)
from updater.integrations.git.mirror_folder import MirrorFolder
from updater.integrations.git.process import Finished, Limits
from updater.integrations.git.remotes import Credentials, GitHubAppKey, Remote

__all__ = ["Credentials", "Git", "GitHubAppKey", "Limits", "Remote"]

FEW_FILES_BYTES = 16 * process.MIB
# Entered around every call to the host: what may hold it back, and learns how it ended.
Passage = Callable[[], AbstractContextManager[None]]

_PINNED: Final = (
    # Nothing of the repository runs.
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.symlinks=false", "core.askPass=",
    "core.protectHFS=true", "core.protectNTFS=true", "safe.bareRepository=explicit",
    "submodule.recurse=false", "fetch.recurseSubmodules=false", "push.recurseSubmodules=no",
    # Credentials come from the included file, and go to no other place.
    "credential.helper=", "http.followRedirects=false", "http.sslVerify=true",
    "transfer.credentialsInUrl=die", "transfer.bundleURI=false",
    # A host that stalls is given up.
    "http.lowSpeedLimit=1000", "http.lowSpeedTime=20", "http.maxRetries=0",
    # What arrives is checked; three kinds of sloppiness, common in old histories, are let pass.
    "transfer.fsckObjects=true", "fetch.fsck.badTimezone=warn",
    "fetch.fsck.missingSpaceBeforeDate=warn", "fetch.fsck.zeroPaddedFilemode=warn",
    # No work behind our back; and a cache that can be made anew need not wait for the disk.
    "gc.auto=0", "maintenance.auto=false", "core.fsync=none",
    "fetch.unpackLimit=1", "core.bigFileThreshold=16m", "core.packedGitLimit=512m",
    "protocol.version=2", "push.gpgSign=false", "push.followTags=false", "log.showSignature=false",
    "protocol.allow=never",
)  # fmt: skip


class Git:
    """Runs git on one mirror; every failure leaves as an error of this package."""

    def __init__(
        self,
        remote: Remote,
        folder: MirrorFolder,
        limits: Limits,
        *,
        passage: Passage = nullcontext,
    ) -> None:
        self._passage = passage
        self.name = urls.redact(remote.url)
        self._remote = remote
        self._folder = folder
        self._limits = limits
        self._address = urls.parse(remote.url, allow_http=remote.allow_http)
        plain = urls.PLAIN_SCHEMES if remote.allow_http else ()
        self._schemes = (*urls.SAFE_SCHEMES, *plain)

    def local(self, *arguments: str, stdin: bytes = b"", accept: Sequence[int] = (0,)) -> Finished:
        """Run a command that never leaves this machine."""
        with self._failures_in_words():
            done = process.run(
                self._command(arguments),
                env={**self._environment(), "GIT_ALLOW_PROTOCOL": "none"},
                limits=self._limits,
                stdin=stdin,
            )
        if done.code not in accept:
            raise outcomes.local_failure(self.name, done)
        return done

    def network(
        self,
        *arguments: str,
        stdin: bytes = b"",
        file_bytes: int | None = None,
        judge: Callable[[str, Finished], Finished] = outcomes.judge,
    ) -> Finished:
        """Run a command that talks to the host; `judge` tells success from the kinds of failure."""
        self._require_exchanged()
        limits = replace(self._limits, file_bytes=file_bytes or self._limits.file_bytes)
        with self._passage():
            return judge(self.name, self._talk(arguments, stdin=stdin, limits=limits))

    def _talk(self, arguments: Sequence[str], *, stdin: bytes, limits: Limits) -> Finished:
        with self._failures_in_words(), self._folder.private() as private:
            access = private_files.write(private, self._address, self._remote.credentials)
            done = process.run(
                self._command((*access.arguments, *arguments)),
                env={**self._environment(), **access.environment},
                limits=limits,
                stdin=stdin,
                keep_open=(self._folder.descriptor,),
                guarded=True,
            )
        concealed = self._remote.credentials.conceal(done.complaint)
        return replace(done, complaint=concealed)

    def _require_exchanged(self) -> None:
        if self._remote.credentials.github_app is not None:
            raise CredentialsUnusableError.of(
                self.name, "exchange the GitHub App for a token first"
            )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        allowed = (f"protocol.{scheme}.allow=always" for scheme in self._schemes)
        settings = [word for setting in (*_PINNED, *allowed) for word in ("-c", setting)]
        return ["git", f"--git-dir={self._folder.path}", *settings, *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": ":".join(self._schemes),
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            # A host that speaks the old protocol made git fetch within fetches without end; we ask for what is
            # absent ourselves.
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
        }

    @contextmanager
    def _failures_in_words(self) -> Iterator[None]:
        try:
            yield
        except process.ProgramMissingError as missing:
            raise GitProgramMissingError.of(self.name, str(missing)) from missing
        except process.ProgramTimeoutError as late:
            spent = f"ended after {self._limits.seconds:g} seconds"
            raise GitTimeoutError.of(self.name, spent) from late
        except process.OutputTooLargeError as large:
            raise RepositoryTooLargeError.of(self.name, "git's answer is too long") from large
