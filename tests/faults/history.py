"""The history of a run: every operation of a client and every fault as JSON lines, for the checkers and for people.

    {"n": 7, "at": 3.21, "is": "invoke", "do": "approve", "who": "mei", "about": {…}}
    {"n": 7, "at": 3.25, "is": "ok" | "refused" | "unknown", "why": …}
    {"at": 4.00, "is": "fault", "do": "kill", "about": {…}}

`unknown` means that the answer was lost: the operation may have happened or not, but only as a whole.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.db import DatabaseError, InterfaceError

from updater.errors import PermanentError


class Result(StrEnum):
    """How an operation ended for its client."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass
class Operation:
    """One operation of a client; `token` marks everything that it leaves in the database."""

    number: int
    do: str
    who: str
    about: dict[str, Any]
    token: str
    begun: float
    ended: float = 0.0
    result: Result = Result.UNKNOWN
    why: str = ""


@dataclass
class History:
    """One run's history, written line by line as it happens."""

    path: Path
    name: str
    operations: list[Operation] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _start: float = field(default_factory=time.monotonic)

    @contextmanager
    def operation(self, do: str, who: str, **about: Any) -> Iterator[Operation]:
        """Write an operation before and after the block; what it raises tells how it ended."""
        one = self._begin(do, who, about)
        try:
            yield one
        except PermanentError as error:
            self._end(one, Result.REFUSED, f"{error.code}: {error}")
        except (DatabaseError, InterfaceError, OSError) as error:
            self._end(one, Result.UNKNOWN, f"{type(error).__name__}: {error}")
        else:
            self._end(one, Result.OK, "")

    def fault(self, do: str, **about: Any) -> None:
        """Write down a fault."""
        with self._lock:
            self.faults.append(do)
            self._write({"at": self.now(), "is": "fault", "do": do, "about": about})

    def now(self) -> float:
        """Return the seconds since the start."""
        return round(time.monotonic() - self._start, 3)

    def _begin(self, do: str, who: str, about: dict[str, Any]) -> Operation:
        with self._lock:
            number = len(self.operations) + 1
            one = Operation(number, do, who, about, f"{self.name}-{number}", self.now())
            self.operations.append(one)
            line = {"n": number, "at": one.begun, "is": "invoke", "do": do, "who": who}
            self._write({**line, "about": about})
        return one

    def _end(self, one: Operation, result: Result, why: str) -> None:
        with self._lock:
            one.ended, one.result, one.why = self.now(), result, why
            self._write({"n": one.number, "at": one.ended, "is": result, "why": why[:300]})

    def _write(self, line: Mapping[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
