"""A promotion survives whatever happens at each named point of its execution: one commit, all invariants.

A part that covers each step runs always; `make faults` runs every point with every action.
"""

import pytest

from tests.faults import checking, driver, results
from tests.faults.driver import Fault, Outcome
from tests.faults.rig import Rig

ALWAYS = [
    Fault("approve.committed", "kill"),
    Fault("push.before", "stop"),
    Fault("push.after", "kill"),
    Fault("record.in_transaction", "raise"),
    Fault("record.in_transaction", "cut"),
    Fault("patch.after", "lose"),
]


def survives(rig: Rig, fault: Fault) -> None:
    try:
        outcome = driver.run(rig, fault)
    except AssertionError as stuck:
        results.keep_outcome(Outcome(fault, "stuck", driver.SETTLE_SECONDS, [str(stuck)]))
        raise
    results.keep_outcome(outcome)
    assert outcome.violations == []
    assert outcome.status == "SUCCEEDED"


@pytest.mark.parametrize("fault", ALWAYS, ids=str)
def test_execute_with_a_fault_at_a_point_writes_once_and_keeps_every_promise(rig, fault):
    survives(rig, fault)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [fault for fault in driver.every_fault() if fault not in ALWAYS], ids=str
)
def test_execute_with_any_fault_at_any_point_writes_once_and_keeps_every_promise(rig, fault):
    survives(rig, fault)


def test_credentials_after_all_these_faults_stand_nowhere(rig):
    assert checking.leaks(rig) == []
