"""Gates for the eyes of one reader: of Applications that they may not see, nothing is told."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from approvals.policy import Gate
from approvals.queries.scopes import Scope
from updater.models import Application

_ELSEWHERE = "Another Application, which you may not see, {}."
_WHO = "whoever promotes there"


def for_reader(
    found: Mapping[UUID, tuple[Gate, ...]], visible: Scope
) -> dict[UUID, tuple[Gate, ...]]:
    """Return the same gates, with what they say of hidden Applications left out."""
    hidden = _hidden(found.values(), visible)
    return {pk: tuple(_read(gate, hidden) for gate in gates) for pk, gates in found.items()}


def _hidden(several: Iterable[tuple[Gate, ...]], visible: Scope) -> set[str]:
    names = {name for gates in several for gate in gates for name in gate.speaks_of}
    if visible.is_everything or not names:
        return set()
    short = {name.rpartition("/")[2] for name in names}
    rows = Application.objects.filter(visible.applications, name__in=short)
    return names - {row.full_name for row in rows.only("namespace", "name")}


def _read(gate: Gate, hidden: set[str]) -> Gate:
    if hidden.isdisjoint(gate.speaks_of):
        return gate
    does = "has it" if gate.is_open else "must have it first"
    return replace(gate, text=_ELSEWHERE.format(does), who=_WHO, speaks_of=())
