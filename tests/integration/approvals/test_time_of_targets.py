"""A target has a share of a sweep: what is not begun by then stays due, in its order, and is not cut in the middle."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from approvals import execution
from approvals.execution import git_target, refreshing, targets
from approvals.execution.ledger import Ledger
from approvals.models import Promotion
from tests import builders
from tests.integration.conftest import WORKER
from updater import leases
from updater.integrations import git

pytestmark = pytest.mark.django_db


def _approved(number: int) -> list[Promotion]:
    """Make promotions of one repository and branch, due, approved one after the other."""
    made = []
    for seconds in range(number):
        at = timezone.now() - timedelta(hours=1, seconds=-seconds)
        row = builders.make_promotion(status="APPROVED", approved_at=at, next_attempt_at=at)
        made.append(row)
    assert len({row.plan["repository"] for row in made}) == 1
    return made


@dataclass
class _Writer:
    """Stands where the Git target does: writes at once, or leaves what it is told to leave."""

    leaves: set[object] = field(default_factory=set)
    parts: list[list[object]] = field(default_factory=list)

    def carry_out(self, promotions, **_):
        self.parts.append([row.pk for row in promotions])
        done = [row.pk for row in promotions if row.pk not in self.leaves]
        Promotion.objects.filter(pk__in=done).update(status="VERIFYING", next_attempt_at=None)
        later = timezone.now() + timedelta(minutes=1)
        Promotion.objects.filter(pk__in=self.leaves).update(next_attempt_at=later)


@pytest.fixture
def writer(monkeypatch) -> _Writer:
    made = _Writer()
    monkeypatch.setattr(targets, "git_target", made)
    monkeypatch.setattr(targets, "TOGETHER", 2)
    return made


def _sweep() -> None:
    execution.sweep(world=None, holder="worker-1", by=WORKER)


def test_carry_out_of_many_writes_them_in_parts_in_the_order_of_approval(writer):
    rows = _approved(5)

    _sweep()

    assert writer.parts == [[row.pk for row in rows[start : start + 2]] for start in (0, 2, 4)]
    assert not Promotion.objects.exclude(status="VERIFYING").exists()


def test_carry_out_beyond_its_time_begins_no_other_part_and_the_rest_stays_due(writer, monkeypatch):
    rows = _approved(5)
    monkeypatch.setattr(targets, "TARGET_SECONDS", -1.0)

    _sweep()

    assert writer.parts == [[row.pk for row in rows[:2]]]
    rest = Promotion.objects.filter(pk__in=[row.pk for row in rows[2:]])
    assert set(rest.values_list("status", "attempts", "error_code")) == {("APPROVED", 0, "")}

    _sweep()
    _sweep()

    assert [pk for part in writer.parts for pk in part] == [row.pk for row in rows]


def test_carry_out_writes_nothing_later_before_what_was_left(writer):
    rows = _approved(4)
    writer.leaves = {rows[1].pk}

    _sweep()

    assert writer.parts == [[rows[0].pk, rows[1].pk]]
    assert Promotion.objects.get(pk=rows[2].pk).status == "APPROVED"


def test_refresh_beyond_its_time_leaves_the_rest_pushed_for_the_next_sweep(monkeypatch):
    monkeypatch.setattr(refreshing, "REFRESH_SECONDS", 0.05)
    asked = []

    def refresh(namespace, name, **_):
        asked.append(name)
        time.sleep(0.1)

    rows = [_pushed() for _ in range(3)]
    world = SimpleNamespace(cluster=SimpleNamespace(refresh=refresh))

    with leases.hold("git:here#main", holder="worker-1") as grant:
        ledger = Ledger(grant, WORKER, ends_at=time.monotonic() - 1)
        refreshing.refresh_all(rows, ledger=ledger, world=world)

    assert asked == [rows[0].application.name]
    found = [Promotion.objects.get(pk=row.pk) for row in rows]
    assert [row.status for row in found] == ["VERIFYING", "EXECUTING", "EXECUTING"]
    assert {row.next_attempt_at for row in found} == {None}  # due at once, as of a worker that died


def _pushed() -> Promotion:
    row = builders.make_promotion(status="EXECUTING", commit="c" * 40, pushed_at=timezone.now())
    builders.make_execution(row)
    return row


def test_write_to_a_branch_that_always_moves_ends_with_its_time(monkeypatch):
    row = builders.make_promotion(status="APPROVED")
    batch = SimpleNamespace(base="b", promotions=[row])
    builds = []
    monkeypatch.setattr(git_target.batches, "build", lambda *_, **__: builds.append(1) or batch)
    monkeypatch.setattr(git_target.orphans, "look", lambda *_, **__: None)
    monkeypatch.setattr(git_target, "_claim", lambda *_, **__: [row])
    monkeypatch.setattr(git_target, "_push", lambda *_, **__: False)  # it moved
    ledger = SimpleNamespace(grant=None, by=WORKER, settle=lambda _: [], is_out_of_time=True)

    with pytest.raises(git.PushMovedError):
        git_target._write([row], branch="main", mirror=None, ledger=ledger, world=None)

    assert builds == [1]
