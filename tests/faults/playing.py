"""Plays a schedule: clients in threads, real workers and beat, the nemesis in between; then quiet, then all checks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DatabaseError, connection

from approvals.models import Promotion
from approvals.models.promotion import PromotionQuerySet
from approvals.models.promotion import PromotionStatus as Status
from tests.faults import checking, remembering
from tests.faults.clients import Clients
from tests.faults.crew import Crew
from tests.faults.fleet import Fleet, Member
from tests.faults.history import History
from tests.faults.nemesis import Nemesis
from tests.faults.proxy import Address, Proxy
from tests.faults.rig import Rig
from tests.faults.schedule import APPROVERS, BUILDER, NEMESIS, OPERATOR, Schedule, Step
from updater import clock
from updater.models import Breaker, Candidate

TICK_SECONDS = 0.1
QUIET_SECONDS = 180.0  # only what hangs takes so long, on the busiest machine
OVER = list(Status.over())


@dataclass
class Verdict:
    """What a run showed."""

    seed: int
    history: Path
    violations: list[str]
    counts: dict[str, int] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    quiet_after: float = 0.0  # seconds from the end of the faults


@dataclass
class Stage:
    """A rig with the proxies in front of its Git host and its database."""

    rig: Rig
    git: Proxy
    database: Proxy
    sockets: Path

    @property
    def git_url(self) -> str:
        """The Git host as the product sees it."""
        return f"http://127.0.0.1:{self.git.port}"


@contextmanager
def stage(rig: Rig) -> Iterator[Stage]:
    """Put proxies before the servers of a rig."""
    sockets = rig.folder / "proxied"
    sockets.mkdir(mode=0o700, exist_ok=True)
    port = int(rig.outside.git.url.rpartition(":")[2])
    git = Proxy(Address(port=port)).start()
    server, here = rig.folder / "postgres", sockets
    name = ".s.PGSQL.5432"
    database = Proxy(Address(socket=server / name), Address(socket=here / name)).start()
    try:
        made = Stage(rig, git, database, sockets)
        rig.open_git(made.git_url)
        yield made
    finally:
        git.stop()
        database.stop()


def play(stage: Stage, schedule: Schedule, folder: Path) -> Verdict:
    """Play one schedule to its end, and judge it."""
    name = f"{schedule.seed}"
    history = History(folder / f"history-{name}.jsonl", name)
    fleet = Fleet.build(stage.rig.outside, stage.git_url, schedule.applications, name=name)
    clients = Clients(fleet, history)
    crew = Crew(stage.rig.nursery, stage.sockets)
    crew.start()
    nemesis = Nemesis(stage.rig, crew, stage.git, stage.database, history)
    with in_background(lambda: pass_time(fleet)):
        _warm_up(clients)
        _perform(schedule, clients, nemesis)
        nemesis.heal()
        since = time.monotonic()
        unfinished = settle(clients)
    quiet_after = time.monotonic() - since
    found = [*unfinished, *stop(crew), *judge(stage.rig, fleet, history, crew)]
    fleet.remove()
    return _verdict(schedule, history, found, fleet, quiet_after)


def _verdict(
    schedule: Schedule, history: History, found: list[str], fleet: Fleet, quiet_after: float
) -> Verdict:
    verdict = Verdict(schedule.seed, history.path, found, faults=history.faults)
    verdict.quiet_after = quiet_after
    for status in rows(fleet).values_list("status", flat=True):
        verdict.counts[status] = verdict.counts.get(status, 0) + 1
    for one in history.operations:
        verdict.operations[one.result] = verdict.operations.get(one.result, 0) + 1
    return verdict


def judge(rig: Rig, fleet: Fleet, history: History, crew: Crew) -> list[str]:
    """Run all checkers."""
    return [
        *checking.violations(rig, fleet.members),
        *remembering.check(history.operations, fleet),
        *checking.orphans(rig, crew.dead),
        *checking.leaks(rig),
    ]


def _warm_up(clients: Clients) -> None:
    """Wait until there is something to decide everywhere; faults on an idle machine show nothing."""
    fleet = clients.fleet
    _push_everywhere(clients)
    until = time.monotonic() + QUIET_SECONDS
    while rows(fleet).pending().count() < len(fleet.members) and time.monotonic() < until:
        time.sleep(TICK_SECONDS)


def _push_everywhere(clients: Clients) -> None:
    for image in clients.fleet.images:
        member = next(each for each in clients.fleet.members if each.image == image)
        clients.push(member, BUILDER)


def _perform(schedule: Schedule, clients: Clients, nemesis: Nemesis) -> None:
    start = time.monotonic()
    threads = [
        threading.Thread(target=_play_one, args=(schedule.of(who), clients.act, start), daemon=True)
        for who in schedule.clients
    ]
    for thread in threads:
        thread.start()
    for step in schedule.of(NEMESIS):
        _wait_until(start + step.at, nemesis.undo_due)
        nemesis.act(step)
    for thread in threads:
        while thread.is_alive():
            thread.join(TICK_SECONDS)
            nemesis.undo_due()


def _play_one(steps: list[Step], act: Callable[[Step], None], start: float) -> None:
    for step in steps:
        _wait_until(start + step.at)
        act(step)


def _wait_until(moment: float, meanwhile: Callable[[], None] = lambda: None) -> None:
    while (left := moment - time.monotonic()) > 0:
        meanwhile()
        time.sleep(min(left, TICK_SECONDS))


@contextmanager
def in_background(act: Callable[[], None]) -> Iterator[None]:
    """Repeat something in a thread of its own until the block ends."""
    ends = threading.Event()

    def repeat() -> None:
        while not ends.is_set():
            act()
            ends.wait(0.2)
        connection.close()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def pass_time(fleet: Fleet) -> None:
    """Let Argo CD sync, and let the time pass that somebody waits for before another try."""
    try:
        fleet.roll_out()
        at = clock.now()
        rows(fleet).filter(next_attempt_at__gt=at).update(next_attempt_at=at)
        Candidate.objects.filter(retry_at__gt=at).update(retry_at=at)
        Breaker.objects.filter(retry_at__gt=at).update(retry_at=at)
    except DatabaseError:
        connection.close()  # PostgreSQL is away for a moment


def settle(clients: Clients) -> list[str]:
    """End in the quiet: release holds, bring one last build everywhere, and wait until it runs; else say what hangs."""
    fleet = clients.fleet
    clients.release(fleet.members[0], OPERATOR)
    _push_everywhere(clients)
    until = time.monotonic() + QUIET_SECONDS
    waiting = list(fleet.members)
    while waiting and time.monotonic() < until:
        waiting = [member for member in waiting if not _has_arrived(member, clients)]
        for member in waiting:
            _help(member, clients)
        time.sleep(0.2)
    while (left := list(_unfinished(fleet))) and time.monotonic() < until:
        time.sleep(0.2)
    return [f"not over in the quiet: {row} {row.status}: {row.status_reason}" for row in left] + [
        f"the last build never came to {member.name}" for member in waiting
    ]


def _has_arrived(member: Member, clients: Clients) -> bool:
    done = Promotion.objects.filter(application__name=member.name, status=Status.SUCCEEDED)
    return done.filter(to_tag=clients.newest[member.image]).exists()


def _help(member: Member, clients: Clients) -> None:
    """Do what people do in the end: approve the last build, try again what errored."""
    own = Promotion.objects.filter(application__name=member.name)
    if own.filter(status=Status.ERRORED, next_attempt_at=None).exists():
        clients.retry(member, OPERATOR)
    if own.filter(status=Status.PENDING, to_tag=clients.newest[member.image]).exists():
        for person in APPROVERS[: member.plan.quorum]:
            with suppress(DatabaseError):
                clients.approve(member, person)


def _unfinished(fleet: Fleet) -> Iterator[Promotion]:
    waits_for_a_person = {"status": Status.ERRORED, "next_attempt_at": None}
    left = rows(fleet).exclude(status__in=[*OVER, Status.PENDING])
    yield from left.exclude(pk__in=rows(fleet).filter(**waits_for_a_person))


def rows(fleet: Fleet) -> PromotionQuerySet:
    """Return the promotions of a fleet."""
    return Promotion.objects.filter(application__name__in=fleet.names)


def stop(crew: Crew) -> list[str]:
    """End all processes in order; return who had to be killed."""
    try:
        crew.stop()
    except AssertionError as error:
        return [f"a process did not end when asked: {error}"]
    return []
