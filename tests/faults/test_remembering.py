"""The checks of a history see what they are for."""

import pytest
from django.db import transaction

from tests import builders
from tests.faults import remembering
from tests.faults.history import History, Operation, Result
from updater import audit
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError


class NoFleet:
    repositories = ()


def operation(result: Result, *, do: str = "retry") -> Operation:
    about = {"promotion": "5d20c9e0-0000-4000-8000-000000000000"}
    return Operation(1, do, "mei", about, "run-1", begun=1.0, ended=2.0, result=result, why="why")


def leave(kind: AuditKind, times: int = 1) -> None:
    for _ in range(times):
        with transaction.atomic():
            audit.record(kind=kind, by=Actor(name="mei", kind="person", request_id="run-1"))


RETRIED, REFUSED = AuditKind.PROMOTION_RETRIED, AuditKind.DECISION_REFUSED


@pytest.mark.parametrize(
    ("result", "kind", "times"),
    [
        (Result.OK, RETRIED, 1),
        (Result.REFUSED, REFUSED, 1),
        (Result.REFUSED, RETRIED, 0),
        (Result.UNKNOWN, RETRIED, 0),
        (Result.UNKNOWN, RETRIED, 1),
    ],
)
def test_check_of_what_is_as_told_finds_nothing(db, result, kind, times):
    leave(kind, times)

    assert remembering.check([operation(result)], NoFleet()) == []


@pytest.mark.parametrize(
    ("result", "kind", "times", "words"),
    [
        (Result.OK, RETRIED, 0, "was answered ok and left 0 rows"),
        (Result.OK, RETRIED, 2, "happened 2 times"),
        (Result.UNKNOWN, RETRIED, 2, "happened 2 times"),
        (Result.REFUSED, RETRIED, 1, "happened all the same"),
        (Result.OK, AuditKind.PROMOTION_REJECTED, 1, "left ['promotion.rejected']"),
    ],
)
def test_check_of_what_is_not_as_told_names_it(db, result, kind, times, words):
    leave(kind, times)

    assert words in " ".join(remembering.check([operation(result)], NoFleet()))


def test_check_of_a_decision_without_its_row_in_the_trail_names_it(db, sre):
    builders.make_decision(
        builders.make_promotion(), sre, identity={"username": "mei", "request_id": "run-1"}
    )

    found = remembering.check([operation(Result.UNKNOWN, do="approve")], NoFleet())

    assert "happened in part" in " ".join(found)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (None, Result.OK),
        (PermanentError("no"), Result.REFUSED),
        (ConnectionError("cut"), Result.UNKNOWN),
    ],
)
def test_history_of_an_operation_says_how_it_ended(tmp_path, error, result):
    history = History(tmp_path / "history", "run")

    with history.operation("retry", "mei") as one:
        if error:
            raise error

    assert one.result is result
    assert f'"is": "{result}"' in history.path.read_text()
