"""How fast executions recover and how many there are in a second: measured by `make faults`, never asserted as time.

With the product's own intervals, leases and waits between attempts, on loopback.
"""

import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from approvals import promotions
from approvals.execution import sweeping, targets
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from tests.faults import playing, remembering, results
from tests.faults import rig as rigs
from tests.faults.clients import Clients
from tests.faults.crew import EXECUTE, Crew
from tests.faults.fleet import Fleet
from tests.faults.history import History
from tests.faults.nemesis import Nemesis
from tests.faults.playing import Stage
from tests.faults.schedule import NEMESIS, Plan, Step
from tests.integration.story.outside import MACHINE
from updater.connections import Connections

pytestmark = pytest.mark.slow
WAIT_SECONDS = 420
NUMBERS = count()


@pytest.fixture(scope="module")
def stage(django_db_blocker, tmp_path_factory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("rig")
    with (
        django_db_blocker.unblock(),
        rigs.running(folder, LEASE_SECONDS="180") as running,
        playing.stage(running) as made,
    ):
        yield made


class Scene:
    """Applications of one repository with a pending promotion each, and the processes."""

    def __init__(self, stage: Stage, folder, name: str, size: int) -> None:
        self.stage = stage
        plans = [Plan(number, 0, "own", number % 5) for number in range(size)]
        self.fleet = Fleet.build(stage.rig.outside, stage.git_url, plans, name=name)
        self.history = History(folder / "history", name)
        self.crew = Crew(stage.rig.nursery, stage.sockets)
        self.nemesis = Nemesis(stage.rig, self.crew, stage.git, stage.database, self.history)
        for image in self.fleet.images:
            stage.rig.outside.push("main-1111111", image)
        stage.rig.look(*self.fleet.members)
        promotions.sweep(world=Connections(), by=MACHINE)

    @property
    def rows(self):
        return playing.rows(self.fleet).order_by("created_at", "pk")

    def approve_all(self) -> list[Promotion]:
        clients, approved = Clients(self.fleet, self.history), list(self.rows.pending())
        for promotion in approved:
            clients.decide("approve", promotion, "mei")
        return approved

    def until(self, is_so: Callable[[], bool]) -> float:
        since = time.monotonic()
        while not is_so():
            assert time.monotonic() - since < WAIT_SECONDS, list(self.rows.values("status_reason"))
            time.sleep(0.05)
        return time.monotonic() - since

    def all_written(self) -> bool:
        return not self.rows.filter(pushed_at=None).exists()

    def order_in_git(self) -> list[str]:
        return [
            promotion
            for _, promotion in remembering.promotions_in(self.fleet, self.fleet.repositories[0])
        ]

    def fault(self, name: str, **about) -> None:
        self.nemesis.act(Step(0, NEMESIS, name, 0, about))

    def end(self) -> None:
        for process in self.crew.everybody():
            process.kill()
        self.fleet.remove()


@pytest.fixture
def scene(stage, tmp_path, request):
    made = []

    def make(size: int) -> Scene:
        made.append(Scene(stage, tmp_path, f"speed-{next(NUMBERS)}", size))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_recovery_after_kill_of_the_worker_in_the_middle(scene):
    one = scene(10)
    one.crew.start(execute=1)
    log = one.stage.rig.folder / "fired-speed"
    one.crew.settings = {"FAULTS": "push.after=kill", "FAULTS_LOG": str(log)}
    victim = one.crew.replace(one.crew.one(EXECUTE, 0))
    victim.wait_until_ready()
    one.crew.settings = {}
    one.approve_all()
    one.until(log.exists)

    one.crew.replace(victim)
    took = one.until(one.all_written)

    results.keep_speed(
        "kill -9 of the worker after its push, 10 under way", f"{took:.1f} s", "60 s"
    )
    assert sorted(one.order_in_git()) == sorted(str(row.pk) for row in one.rows)


def test_recovery_after_valkey_was_wiped(scene):
    one = scene(50)
    one.crew.start(execute=1)
    one.crew.kill(one.crew.one(EXECUTE, 0))
    one.approve_all()  # rings a queue that nobody reads
    one.fault("valkey")

    one.crew.replace(one.crew.one(EXECUTE, 0))
    took = one.until(one.all_written)

    assert sorted(one.order_in_git()) == sorted(str(row.pk) for row in one.rows)
    results.keep_speed("Valkey wiped with 50 approved in its queue", f"{took:.1f} s", "60 s")


def test_recovery_after_an_immediate_restart_of_postgresql(scene):
    one = scene(10)
    one.crew.start(execute=1)
    one.approve_all()
    one.fault("postgres")

    took = one.until(one.all_written)

    results.keep_speed(
        "PostgreSQL restarted in immediate mode, 10 approved", f"{took:.1f} s", "10 s"
    )


def test_recovery_after_an_outage_of_the_git_host_writes_in_order_of_approval(scene):
    one = scene(50)
    one.crew.start(execute=1)
    one.stage.git.refuse()
    approved = one.approve_all()
    time.sleep(40)  # its breaker is open and everything has been set back

    one.stage.git.heal()
    took = one.until(one.all_written)

    results.keep_speed("Git host back after 40 s, 50 approved waiting", f"{took:.1f} s", "300 s")
    assert one.order_in_git() == [str(row.pk) for row in approved]


def test_executions_in_a_second_into_one_repository(scene):
    alone, together = scene(20), scene(50)
    for one, size in ((alone, 1), (together, 50)):
        one.approve_all()
        own = set(one.rows.filter(status=Status.APPROVED).values_list("pk", flat=True))
        rows = [each for each in sweeping.due() if each.pk in own]
        since = time.monotonic()
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            target = part[0].destination.target
            targets.carry_out(target, part, world=Connections(), holder="speed", by=MACHINE)
        pace = len(rows) / (time.monotonic() - since)
        what, aim = ("without batching", "5/s") if size == 1 else (f"{size} in a batch", "more")
        whole = f"executions per second into one repository, {what}"
        results.keep_speed(whole, f"{pace:.1f}/s", aim)
        assert one.all_written()
