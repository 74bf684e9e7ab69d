"""The state directory: one supervisor at a time, the signing key, and where data and logs lie."""

import fcntl
import os
import secrets
import shutil
from pathlib import Path
from typing import TextIO

LOCK = "supervisor.lock"


class StateError(RuntimeError):
    """The state directory cannot be used; the message says why and what to do."""


class State:
    """A private directory (0700) that holds everything one onebox keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock: TextIO | None = None

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.folder / "logs"

    @property
    def secret_key_file(self) -> Path:
        """The signing key of the web sessions, made once."""
        return self.folder / "secret-key"

    def log(self, name: str) -> Path:
        """Return the log file of a process."""
        return self.logs / f"{name}.log"

    def claim(self, *, fresh: bool = False) -> None:
        """Make the directory ours until this process ends; `fresh` empties it first.

        Raises:
            StateError: another supervisor holds it, or it is full of somebody else's files.
        """
        self._refuse_foreign_folder()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        if fresh:
            self._empty()
        self.logs.mkdir(exist_ok=True)
        self._make_secret_key()

    def release(self) -> None:
        """Let the next supervisor have the directory."""
        if self._lock is not None:
            self._lock.close()

    def _refuse_foreign_folder(self) -> None:
        is_ours = (self.folder / LOCK).exists() or not self.folder.exists()
        if not is_ours and any(self.folder.iterdir()):
            raise StateError(
                f"{self.folder} holds files that are not ours; name another directory with --state"
            )

    def _take_lock(self) -> None:
        lock = (self.folder / LOCK).open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise StateError(
                f"{self.folder} is in use by process {owner}: stop that one with Ctrl-C,"
                " or name another directory with --state"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _empty(self) -> None:
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != LOCK:
                entry.unlink()

    def _make_secret_key(self) -> None:
        if not self.secret_key_file.exists():
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(self.secret_key_file, flags, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(64))
