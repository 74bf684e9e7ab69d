"""Switches that make the API server misbehave: overload, lost answers, conflicts, silence."""

from dataclasses import asdict, dataclass, field

from onebox.world.cluster.documents import Json, JsonValue
from onebox.world.cluster.statuses import ApiError, throttled

READS = ("get", "list", "watch")
WRITES = ("create", "update", "patch", "delete")


@dataclass(slots=True)
class Fault:
    """One switch.

    kind: `throttle` (429 before anything), `refuse` (the code, before anything), `lose` (the code, after the
    write was stored), `conflict` (409 before anything), `hang` (the request is taken and never answered),
    `garbage` (a proxy's HTML page with status 200).
    """

    kind: str
    code: int = 500
    verbs: tuple[str, ...] = (*READS, *WRITES)
    resource: str = ""  # plural; "" is every kind
    account: str = ""  # "" is everybody
    times: int | None = None  # None: until cleared
    retry_after_seconds: float = 1

    def concerns(self, verb: str, resource: str, account: str) -> bool:
        """Whether a request meets this fault."""
        is_mine = self.account in ("", account) and self.resource in ("", resource)
        return is_mine and verb in self.verbs and self.times != 0


@dataclass
class Faults:
    """The switches that are on."""

    active: list[Fault] = field(default_factory=list)

    def add(self, kind: str, **settings: JsonValue) -> Fault:
        """Switch a fault on."""
        fault = Fault(kind, **settings)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """Behave again."""
        self.active.clear()

    def draw(self, verb: str, resource: str, account: str) -> Fault | None:
        """Return the first fault a request meets, and use one of its times up."""
        for fault in self.active:
            if fault.concerns(verb, resource, account):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def as_json(self) -> list[Json]:
        """Return the switches for the control address."""
        return [asdict(fault) for fault in self.active]

    def set_from_json(self, items: list[Json]) -> None:
        """Replace all switches by what the control address was sent."""
        self.active = [_from_json(item) for item in items]


def _from_json(item: Json) -> Fault:
    verbs = tuple(item.get("verbs", (*READS, *WRITES)))
    return Fault(**{**item, "verbs": verbs})


def raise_before(fault: Fault | None) -> None:
    """Raise the error of a fault that strikes before the request is carried out."""
    if fault is None:
        return
    if fault.kind == "throttle":
        raise throttled(fault.retry_after_seconds)
    if fault.kind == "refuse":
        raise _server_error(fault)
    if fault.kind == "conflict":
        raise ApiError(409, "Conflict", "the object has been modified; please apply your changes")


def raise_after(fault: Fault | None) -> None:
    """Raise the error of a fault that loses the answer of what was carried out."""
    if fault is not None and fault.kind == "lose":
        raise _server_error(fault)


def _server_error(fault: Fault) -> ApiError:
    reasons = {500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}
    reason = reasons.get(fault.code, "InternalError")
    return ApiError(fault.code, reason, f"an error on the server ({fault.code}) prevented this")
