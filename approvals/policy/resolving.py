"""The rules that are for one Application, merged: each value with its origin. Pure."""

from approvals.policy import demands as merging
from approvals.policy import targets
from approvals.policy.demands import Demand, Demands, Key, Who
from approvals.policy.document import AutoApprove, Defaults, Document
from approvals.policy.effective import (
    EMERGENCY,
    ROLLBACK,
    Effective,
    QuorumRule,
    UpstreamRule,
    WayOut,
    WindowRule,
    text_of,
    versions_of,
)
from approvals.policy.schedules import Schedule
from approvals.policy.targets import Target

NOWHERE = Target("", "", "", (), frozenset())  # for which only rules without a selector hold
BUILT_IN = Defaults.model_validate_json(
    """{
        "approvals": [{"name": "approvers", "role": "approver"}],
        "when_authors_unknown": "warn",
        "min_reason": {"approve": 0, "reject": 10},
        "supersede": "keep-approved",
        "pin": "tag",
        "soak": "0s",
        "two_writers": "warn"
    }"""
)


def resolve(document: Document, target: Target) -> Effective:
    """Merge every rule that is for the target; labels only add to what stands without them."""
    chosen = [rule for rule in document.rules if targets.is_for(rule.match, target)]
    stated = {rule.name: merging.of_rule(rule, rule.name) for rule in chosen}
    by_label = [stated[rule.name] for rule in chosen if rule.match.labels]
    merged = merging.merge(stated[rule.name] for rule in chosen if not rule.match.labels)
    merged = merging.fill(merged, merging.of_rule(document.defaults, "defaults"))
    merged = merging.fill(merged, merging.of_rule(BUILT_IN, "built-in"))
    return of_demands(merging.merge([merged, *by_label]))


def built_in() -> Effective:
    """Return what holds where no policy file says anything."""
    return of_demands(merging.of_rule(BUILT_IN, "built-in"))


def of_demands(demands: Demands) -> Effective:
    """Return merged demands as they are asked for."""
    mandatory = [
        QuorumRule(str(key.item), Who("", (str(key.item),), ()), 1, _sorted(demand), True)  # noqa: FBT003
        for key, demand in _about(demands, "mandatory_groups")
    ]
    return Effective(
        demands=demands,
        versions=versions_of(demands),
        quorums=(*_quorums(demands, "approvals"), *mandatory),
        exclude=frozenset(str(key.item) for key, _ in _about(demands, "exclude")),
        authors_unknown=_word(demands, "when_authors_unknown", merging.AUTHORS_UNKNOWN),
        min_reason_approve=_level(demands, "min_reason.approve"),
        min_reason_reject=_level(demands, "min_reason.reject"),
        pending_seconds=-_level(demands, "expires.pending") or None,
        approved_seconds=-_level(demands, "expires.approved") or None,
        supersede=_word(demands, "supersede", merging.SUPERSEDE),
        pin=_word(demands, "pin", merging.PIN),
        soak_seconds=_level(demands, "soak"),
        upstream=tuple(
            UpstreamRule(str(key.item), demand.level, _sorted(demand))
            for key, demand in _about(demands, "upstream")
        ),
        auto_approve=_auto_approve(demands),
        allow=_windows(demands, "windows.allow"),
        deny=_windows(demands, "windows.deny"),
        emergency=None if Key("emergency.never") in demands else _way_out(demands, EMERGENCY),
        rollback=_way_out(demands, ROLLBACK),
        two_writers=_word(demands, "two_writers", merging.TWO_WRITERS),
    )


def _about(demands: Demands, field: str) -> list[tuple[Key, Demand]]:
    found = [(key, demand) for key, demand in demands.items() if key.field == field]
    return sorted(found, key=lambda pair: text_of(pair[0].item))


def _level(demands: Demands, field: str) -> int:
    demand = demands.get(Key(field))
    return demand.level if demand is not None else 0


def _word(demands: Demands, field: str, words: tuple[str, ...]) -> str:
    return words[_level(demands, field)]


def _quorums(demands: Demands, field: str) -> tuple[QuorumRule, ...]:
    about = _about(demands, field)
    names = [_named(demand) for _, demand in about]
    found = [
        QuorumRule(_unique(name, names, key), _who(key), demand.level, _sorted(demand))
        for name, (key, demand) in zip(names, about, strict=True)
    ]
    return tuple(sorted(found, key=lambda rule: rule.name))


def _unique(name: str, names: list[str], key: Key) -> str:
    return f"{name} ({key.item})" if names.count(name) > 1 else name


def _auto_approve(demands: Demands) -> tuple[AutoApprove, ...]:
    items = [key.item for key, _ in _about(demands, "auto_approve")]
    conditions = tuple(item for item in items if isinstance(item, AutoApprove))
    return conditions if len(conditions) == len(items) else ()


def _windows(demands: Demands, field: str) -> tuple[WindowRule, ...]:
    return tuple(
        WindowRule(_named(demand), _schedules(key), _sorted(demand))
        for key, demand in _about(demands, field)
    )


def _way_out(demands: Demands, mode: str) -> WayOut | None:
    if not (quorums := _quorums(demands, f"{mode}.approvals")):
        return None
    kept = {str(key.item) for key, _ in _about(demands, f"{mode}.keeps")}
    return WayOut(
        quorums=quorums,
        overrides=frozenset(merging.OVERRIDABLE) - kept,
        min_reason=_level(demands, f"{mode}.min_reason"),
        incident=bool(_level(demands, f"{mode}.incident")),
        review_within_seconds=-_level(demands, f"{mode}.review_within"),
    )


def _who(key: Key) -> Who:
    if isinstance(key.item, Who):
        return key.item
    raise TypeError(f"{key.field} is about people, not {key.item!r}")


def _schedules(key: Key) -> tuple[Schedule, ...]:
    items = key.item if isinstance(key.item, frozenset) else [key.item]
    return tuple(sorted(item for item in items if isinstance(item, Schedule)))


def _named(demand: Demand) -> str:
    return " / ".join(sorted(demand.names))


def _sorted(demand: Demand) -> tuple[str, ...]:
    return tuple(sorted(demand.origins))
