"""Thousands of promotions with a kill for every few of them: builds come without end, people approve, workers die."""

import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DatabaseError, connection
from django.utils import timezone

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from tests.faults import playing
from tests.faults.clients import Clients
from tests.faults.crew import Crew
from tests.faults.fleet import Fleet
from tests.faults.history import History
from tests.faults.nemesis import Nemesis
from tests.faults.playing import Stage
from tests.faults.schedule import APPROVERS, BUILDER, FAULTS, NEMESIS, OPERATOR, Plan, Step

APPLICATIONS, REPOSITORIES, IMAGES = 96, 12, 24
KILLS_BETWEEN_OTHERS = 25  # every so many kills, one of the other faults has its turn
# The connections to PostgreSQL go straight here: a proxy of everything would cost more than the work itself.
OTHERS = [name for name in FAULTS if name != "kill" and not name.startswith("database")]
PROGRESS_SECONDS = 10.0
LOOK_SECONDS = 0.4  # between two looks of a client, who takes CPU from the workers
STALE_SECONDS = 60.0  # after which a next build of an image comes, whatever became of the last


@dataclass
class Soak:
    """One soak: how far it is to go, and how far it came."""

    stage: Stage
    folder: Path
    promotions: int
    kills: int
    minutes: float
    killed: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0
    _start: float = field(default_factory=time.monotonic)
    _pushed_at: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Soak until enough promotions are over or time is up, then end in the quiet and judge."""
        history = History(self.folder / "history-soak.jsonl", "soak")
        self.fleet = Fleet.build(self.stage.rig.outside, self.stage.git_url, _plans(), name="soak")
        self.clients = Clients(self.fleet, history)
        self.crew = Crew(self.stage.rig.nursery, self.stage.rig.folder / "postgres")
        self.crew.start(execute=4, scan=4)
        nemesis = Nemesis(self.stage.rig, self.crew, self.stage.git, self.stage.database, history)
        self._start = time.monotonic()
        with playing.in_background(lambda: playing.pass_time(self.fleet)):
            self._soak(nemesis)
            nemesis.heal()
            self.violations = playing.settle(self.clients)
        self.seconds = time.monotonic() - self._start
        self.violations += playing.stop(self.crew)
        self.violations += playing.judge(self.stage.rig, self.fleet, history, self.crew)
        self.history = history

    def _soak(self, nemesis: Nemesis) -> None:
        ends = threading.Event()
        jobs = [
            self._build,
            *(lambda who=who: self._approve(who) for who in APPROVERS),
            self._look_after,
        ]
        threads = [threading.Thread(target=_repeat, args=(job, ends), daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        told_at = time.monotonic()
        while not self._is_enough(done := self._done()):
            self._harm(nemesis, done)
            if time.monotonic() - told_at > PROGRESS_SECONDS:
                told_at = time.monotonic()
                self._tell(done)
            time.sleep(LOOK_SECONDS)
        ends.set()
        for thread in threads:
            thread.join()

    def _is_enough(self, done: int) -> bool:
        is_late = time.monotonic() - self._start > self.minutes * 60
        return is_late or (done >= self.promotions and self.killed >= self.kills)

    def _harm(self, nemesis: Nemesis, done: int) -> None:
        nemesis.undo_due()
        if self.killed >= min(self.kills, self.kills * done // self.promotions + 1):
            return
        nemesis.act(Step(0, NEMESIS, "kill", self.killed))
        self.killed += 1
        if self.killed % KILLS_BETWEEN_OTHERS == 0:
            number = self.killed // KILLS_BETWEEN_OTHERS
            about = {"bytes": 40, "seconds": 1.0, "ahead": 3600 if number % 2 else -3600}
            nemesis.act(Step(0, NEMESIS, OTHERS[number % len(OTHERS)], number, about))

    def _done(self) -> int:
        try:
            return playing.rows(self.fleet).filter(status=Status.SUCCEEDED).count()
        except DatabaseError:
            connection.close()
            return 0

    def _tell(self, done: int) -> None:
        passed = time.monotonic() - self._start
        sys.stdout.write(
            f"{passed:6.0f} s  {done:,} of {self.promotions:,} promotions, {self.killed:,} of "
            f"{self.kills:,} kills, {done / passed:.1f} promotions/s\n"
        )
        sys.stdout.flush()

    # The clients

    def _build(self) -> None:
        """Push the next build of an image as soon as the last one runs everywhere, or hangs somewhere."""
        for image in self.fleet.images:
            members = [member for member in self.fleet.members if member.image == image]
            tag = self.clients.newest.get(image)
            age = time.monotonic() - self._pushed_at.get(image, 0.0)
            arrived = Promotion.objects.filter(
                application__name__in=[member.name for member in members],
                to_tag=tag or "",
                status=Status.SUCCEEDED,
            ).count()
            if tag is None or arrived == len(members) or age > STALE_SECONDS:
                self.clients.push(members[0], BUILDER)
                self._pushed_at[image] = time.monotonic()

    def _approve(self, who: str) -> None:
        """Approve what is this person's to look at: each Application has as many people as it needs."""
        place = APPROVERS.index(who)
        own = [
            member.name
            for member in self.fleet.members
            if (place - member.plan.number) % len(APPROVERS) < member.plan.quorum
        ]
        rows = playing.rows(self.fleet).pending().filter(application__name__in=own)
        for promotion in rows.exclude(decisions__by__username=who, decisions__voided_at=None):
            self.clients.decide("approve", promotion, who)

    def _look_after(self) -> None:
        for promotion in playing.rows(self.fleet).filter(status=Status.ERRORED):
            self.clients.decide("retry", promotion, OPERATOR)

    def figures(self) -> str:
        """Return the figures for the document."""
        ends: dict[str, int] = {}
        for status in playing.rows(self.fleet).values_list("status", flat=True):
            ends[status] = ends.get(status, 0) + 1
        succeeded = ends.get(Status.SUCCEEDED, 0)
        answers: dict[str, int] = {}
        for one in self.history.operations:
            answers[one.result] = answers.get(one.result, 0) + 1
        other = len(self.history.faults) - self.killed
        pace = f"{succeeded / self.seconds:.1f} successful promotions per second meanwhile"
        rows = {
            "promotions, by their end": _listed(ends),
            "workers killed": f"{self.killed:,}, beside {other} other faults",
            "operations of clients, by their answer": _listed(answers),
            "time": f"{self.seconds / 60:.0f} min, {pace}",
            "lost": self._found("I3", "not over", "never came"),
            "doubled": self._found("I1", "times"),
            "without approval": self._found("I2", "I6", "no client approved"),
            "all findings of I1 to I11 and of the history": f"{len(self.violations)}",
        }
        return "\n".join(
            [
                _where(),
                "",
                "| what | figures |",
                "|---|---|",
                *(f"| {a} | {b} |" for a, b in rows.items()),
            ]
        )

    def _found(self, *words: str) -> str:
        return str(sum(any(word in found for word in words) for found in self.violations))


def _where() -> str:
    machine = f"{os.cpu_count()} cores, {_memory()} GiB, Python {platform.python_version()}"
    fleet = f"{APPLICATIONS} Applications, {REPOSITORIES} Git repositories, {IMAGES} images"
    return f"{timezone.now():%Y-%m-%d}, {machine}; {fleet}:"


def _plans() -> list[Plan]:
    return [
        Plan(
            number=number,
            repository=number % REPOSITORIES,
            file="shared" if number % 3 == 0 else "own",
            image=number % IMAGES,
            quorum=2 if number % 5 == 0 else 1,
        )
        for number in range(APPLICATIONS)
    ]


def _repeat(job: Callable[[], None], ends: threading.Event) -> None:
    while not ends.wait(LOOK_SECONDS):
        try:
            job()
        except DatabaseError:
            connection.close()  # PostgreSQL is away for a moment
    connection.close()


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items()))


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
