"""Keys waiting to be worked on: each once, by one worker at a time, now or after a while."""

import threading
import time


class WorkQueue:
    """A key added while it is worked on is worked on again afterwards."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._ready: dict[str, None] = {}  # in order of arrival
        self._busy: set[str] = set()
        self._later: dict[str, float] = {}  # the earliest moment each key is due
        self._is_closed = False

    def add(self, key: str) -> None:
        """Have a key worked on."""
        with self._condition:
            self._ready[key] = None
            self._condition.notify()

    def add_after(self, key: str, seconds: float) -> None:
        """Have a key worked on after a while."""
        with self._condition:
            due_at = time.monotonic() + max(0.0, seconds)
            self._later[key] = min(due_at, self._later.get(key, due_at))
            self._condition.notify()

    def take(self) -> str | None:
        """Wait for a key and return it, or None when the queue is closed."""
        with self._condition:
            while not self._is_closed:
                pause = self._move_due()
                key = next((key for key in self._ready if key not in self._busy), None)
                if key is not None:
                    del self._ready[key]
                    self._busy.add(key)
                    return key
                self._condition.wait(pause)
        return None

    def done(self, key: str) -> None:
        """Give a taken key back."""
        with self._condition:
            self._busy.discard(key)
            self._condition.notify_all()

    def close(self) -> None:
        """Let every waiting worker go."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    def _move_due(self) -> float | None:
        """Make keys ready whose time has come; return the seconds until the next one."""
        now = time.monotonic()
        for key in [key for key, due_at in self._later.items() if due_at <= now]:
            del self._later[key]
            self._ready[key] = None
        return min(self._later.values()) - now if self._later else None
