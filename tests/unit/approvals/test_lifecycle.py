"""The table of allowed moves says what the design says, and nothing else moves a promotion."""

import re
from pathlib import Path

import pytest

from approvals.lifecycle import MOVES
from approvals.models.promotion import PromotionStatus as Status

DESIGN = {
    "PENDING": "APPROVED REJECTED EXPIRED SUPERSEDED WITHDRAWN",
    "APPROVED": "EXECUTING PENDING REJECTED EXPIRED SUPERSEDED WITHDRAWN",
    "EXECUTING": "VERIFYING ERRORED UNKNOWN ABORTED PENDING",
    "VERIFYING": "SUCCEEDED FAILED UNKNOWN",
    "UNKNOWN": "EXECUTING VERIFYING ERRORED",
    "ERRORED": "EXECUTING WITHDRAWN SUPERSEDED",
}


@pytest.mark.parametrize("status", list(Status), ids=str)
def test_moves_of_each_status_are_those_of_the_design(status):
    expected = set(DESIGN.get(status, "").split())

    moves = MOVES.get(status, frozenset())

    assert moves == expected


def test_ended_statuses_have_no_moves():
    ended = set(Status) - set(Status.alive())

    assert not ended & set(MOVES)


def test_nothing_but_lifecycle_and_the_first_insert_writes_a_status():
    writes = re.compile(r"\.status\s*=[^=]|update\([^)]*\bstatus=")
    # A request has a status of its own; the checkers replay a life from the trail, in memory.
    others = {"requesting.py", "trail.py"}
    offenders = [
        f"{path}: {line.strip()}"
        for path in [*Path("approvals").rglob("*.py"), *Path("updater").rglob("*.py")]
        if "migrations" not in path.parts and path.name not in {"lifecycle.py", *others}
        for line in path.read_text().splitlines()
        if writes.search(line) and "execution.status" not in line
    ]

    assert offenders == []
