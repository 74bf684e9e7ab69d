"""The mirror on disk: made, locked, cleaned of what a crash left, thrown away when it is no longer sound."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from updater.integrations.git.errors import MirrorBusyError, MirrorDamagedError

LOCK_POLL_SECONDS = 0.02
_UNFILTERED = "unfiltered"
_LEFTOVERS = (
    "*.lock", "refs/fetched/*.lock", "objects/obj*", "objects/tmp_*",
    "objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/pack/*.lock",
)  # fmt: skip


class MirrorFolder:
    """A bare repository of ours, mode 0700; everything in it may be deleted and fetched again."""

    def __init__(self, path: Path, *, url: str, name: str, wait_seconds: float) -> None:
        self.path = path
        self._name = name
        self._wait_seconds = wait_seconds
        self._settings = (
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogAllRefUpdates = false\n"
            f'[remote "o"]\n\turl = "{url}"\n'
        )
        self._descriptor = -1
        self._depth = 0

    @property
    def descriptor(self) -> int:
        """The open lock: a git process that inherits it keeps others out even when we are killed."""
        return self._descriptor

    @property
    def is_filtered(self) -> bool:
        """Whether the host lets us leave out file contents until they are needed."""
        return not (self.path / _UNFILTERED).exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the mirror against other processes and threads; may be entered again by its holder."""
        if self._depth == 0:
            self._acquire()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _acquire(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait_for(descriptor)
            self._make_ready()
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as taken:
                if time.monotonic() > deadline:
                    raise MirrorBusyError.of(self._name) from taken
                time.sleep(LOCK_POLL_SECONDS)

    def _make_ready(self) -> None:
        config = self.path / "config"
        if not config.is_file() or config.read_text(encoding="utf-8") != self._settings:
            self.renew()
        self._sweep()

    def _sweep(self) -> None:
        # We hold the lock and so did every git process of ours: what looks in use here is left by a crash.
        shutil.rmtree(self.path / "private", ignore_errors=True)
        for pattern in _LEFTOVERS:
            for stale in self.path.glob(pattern):
                stale.unlink(missing_ok=True)

    def renew(self, *, filtered: bool | None = None) -> None:
        """Throw the mirror away and make an empty one; its settings are written last and mark it whole."""
        keep = self.is_filtered if filtered is None else filtered
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        for part in ("objects/info", "objects/pack", "refs/heads", "refs/fetched"):
            (self.path / part).mkdir(parents=True, exist_ok=True)
        (self.path / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        if not keep:
            (self.path / _UNFILTERED).touch()
        (self.path / "config").write_text(self._settings, encoding="utf-8")

    def read_reference(self, reference: str) -> str:
        """Return the SHA a reference of ours holds."""
        try:
            return (self.path / reference).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as unreadable:
            raise MirrorDamagedError.of(self._name, f"{reference} is not readable") from unreadable

    def references(self) -> list[str]:
        """Return what all references of ours hold."""
        return [
            path.read_text(errors="replace").strip() for path in self.path.glob("refs/fetched/*")
        ]

    def count_packs(self) -> int:
        """Return how many packs the mirror consists of."""
        return len(list((self.path / "objects" / "pack").glob("*.pack")))

    @contextmanager
    def private(self) -> Iterator[Path]:
        """Lend a folder only its owner can enter, gone afterwards (or at the next lock, after a crash)."""
        folder = self.path / "private"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
