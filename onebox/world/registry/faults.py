"""What can be made to go wrong, by kind of request and repository."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["tags", "manifest", "head", "blob", "token", "ping"]
Body = Literal["", "truncated", "html", "huge", "endless-links", "wrong-digest", "cut-off", "gzip"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave. `status` replaces the answer; `body` spoils it; the rest delays or limits it."""

    status: int | None = None
    retry_after: str | None = None
    body: Body = ""
    location: str | None = None
    delay_seconds: float = 0.0  # longer than anybody waits: a time-out
    times: int | None = None  # how many requests it hits; None: all


class Faults:
    """The faults in force; the first that fits a request is used."""

    def __init__(self) -> None:
        self._set: list[tuple[Fault, str, str]] = []
        self._used: dict[int, int] = {}

    def add(self, fault: Fault, *, kind: Kind | None = None, repository: str | None = None) -> None:
        """Put a fault in force; None means every kind, every repository."""
        self._set.append((fault, kind or "", repository or ""))

    def clear(self) -> None:
        """Behave again."""
        self._set.clear()
        self._used.clear()

    def find(self, kind: str, repository: str) -> Fault | None:
        """Return the fault for a request, and count its use."""
        for place, (fault, for_kind, for_repository) in enumerate(self._set):
            is_hit = for_kind in ("", kind) and for_repository in ("", repository)
            used = self._used.get(place, 0)
            if is_hit and (fault.times is None or used < fault.times):
                self._used[place] = used + 1
                return fault
        return None
