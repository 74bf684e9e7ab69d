"""One crash, one recovery: reach a named point in a real process, let the fault happen, let a fresh worker go on."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from tests.faults import checking
from tests.faults import rig as rigs
from tests.faults.applications import Story
from tests.faults.rig import Rig
from tests.faults.workers import Process
from updater import crashpoints

CUT = "cut"  # D10: the worker stands at the point while the server ends all its sessions
ACTIONS = (*crashpoints.ACTIONS, CUT)
POINTS = crashpoints.POINTS
DURING_PUSH = (
    "push.during"  # on the host's side: its hook holds the push until the fault has happened
)
IN_WEB = ("approve.in_transaction", "approve.committed", "ring.before", "ring.after")
REACH_SECONDS = 30
# A worker that stands still inside a transaction keeps its locks until PostgreSQL ends its session.
SETTLE_SECONDS = 100
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_HOOK = """#!/bin/sh
touch in-push
while [ ! -e go ]; do sleep 0.02; done
"""


@dataclass(frozen=True)
class Fault:
    """A point and what happens there."""

    point: str
    action: str

    def __str__(self) -> str:
        return f"{self.point}={self.action}"

    @property
    def place(self) -> str:
        """Its number in the table of crash points."""
        return "P10" if self.point == DURING_PUSH else POINTS[self.point][0]


@dataclass
class Outcome:
    """What came of one run."""

    fault: Fault
    status: str
    recovery_seconds: float
    violations: list[str] = field(default_factory=list)


def every_fault() -> list[Fault]:
    """Return all points with all actions."""
    named = [Fault(point, action) for point in POINTS for action in crashpoints.ACTIONS]
    borders = [point for point, (_, kind) in POINTS.items() if kind == crashpoints.DATABASE]
    cut = [Fault(point, CUT) for point in borders if point not in IN_WEB]
    return [*named, *cut, *(Fault(DURING_PUSH, action) for action in crashpoints.ACTIONS)]


def run(rig: Rig, fault: Fault) -> Outcome:
    """Carry out one promotion with this fault, and everything that must hold afterwards."""
    story = rig.story(method="argocd" if fault.point.startswith("patch.") else "git")
    try:
        return _run(rig, fault, story)
    finally:
        for process in rig.nursery.processes:
            process.send(signal.SIGKILL)
        story.remove(rig.outside)


def _run(rig: Rig, fault: Fault, story: Story) -> Outcome:
    promotion = rig.offer(story)
    victim = _reach(rig, fault, story, promotion)
    since = time.monotonic()
    _approve_again(rig, fault, promotion, victim)
    if fault.action == CUT:
        _cut_sessions(victim)  # and nobody else goes on in its place
    else:
        rig.worker(wait=False)
    if fault == Fault(DURING_PUSH, "stop"):
        # The victim holds the lock of this machine's mirror; the other one waits for it, as for any push.
        _let_go(rig, story, victim)
    rig.settle(story, seconds=SETTLE_SECONDS)
    recovered = time.monotonic() - since
    if fault.action == "stop":
        victim.send(signal.SIGCONT)
        rig.turn(story)
    left = checking.orphans(rig, [victim] if fault.action == "kill" else [])
    if fault.action == CUT and victim.exit_code is not None:
        left.append("the worker whose sessions were ended has ended itself")
    rig.settle(story)
    promotion.refresh_from_db()
    found = [*checking.violations(rig, [story]), *left]
    return Outcome(fault, promotion.status, recovered, found)


def _cut_sessions(victim: Process) -> None:
    """Let the server end every session but ours, as a restart does, and the worker go on at once."""
    until = time.monotonic() + REACH_SECONDS
    while not victim.is_stopped():
        assert time.monotonic() < until, "the worker does not stand still"
        time.sleep(0.02)
    with connection.cursor() as cursor:
        cursor.execute(_END_SESSIONS)
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,), "a session that was ended keeps its lock"
    victim.send(signal.SIGCONT)


def _let_go(rig: Rig, story: Story, victim: Process) -> None:
    until = time.monotonic() + rigs.LEASE_SECONDS + 1
    while time.monotonic() < until:
        rig.turn(story)
        time.sleep(0.1)
    victim.send(signal.SIGCONT)


def _reach(rig: Rig, fault: Fault, story: Story, promotion: Promotion) -> Process:
    """Start the process that the fault is for, and wait until it has happened."""
    log = rig.folder / f"fired-{story.name}"
    order = f"{fault.point}=stop" if fault.action == CUT else str(fault)
    settings = {"FAULTS": order, "FAULTS_LOG": str(log)}
    if fault.point in IN_WEB:
        victim = rig.approve_elsewhere(promotion, **settings)
        _wait(log.exists, fault, victim)
    elif fault.point == DURING_PUSH:
        return _reach_push(rig, fault, story, promotion)
    else:
        victim = rig.worker(**settings)
        rig.approve(promotion)
        _wait(log.exists, fault, victim, meanwhile=lambda: rig.turn(story))
    if fault.action == "kill":
        assert victim.wait() == -signal.SIGKILL
    return victim


def _reach_push(rig: Rig, fault: Fault, story: Story, promotion: Promotion) -> Process:
    """Let the host take the push, and the fault happen before it answers; the host then goes on with it.

    Where the worker lives on, it looks at the branch before the host has moved it: the worst moment to look.
    """
    repository = rig.outside.git.repositories.path(story.repository)
    hook = repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(_HOOK, encoding="utf-8")
    hook.chmod(0o755)
    victim = rig.worker()
    rig.approve(promotion)
    _wait((repository / "in-push").exists, fault, victim, meanwhile=rig.ring)
    _interrupt(rig, fault, victim)
    if fault.action in ("raise", "lose"):
        # Whoever lost a connection that served before asks once more: that one breaks, too.
        cut = rig.outside.git.cut_pushes if fault.action == "lose" else lambda: None
        _wait(lambda: not _is_executing(promotion), fault, victim, meanwhile=cut)
    hook.unlink()
    (repository / "go").touch()
    if fault.action == "kill":
        victim.wait()
    return victim


def _interrupt(rig: Rig, fault: Fault, victim: Process) -> None:
    if fault.action == "kill":
        victim.send(signal.SIGKILL)
    elif fault.action == "stop":
        victim.send(signal.SIGSTOP)
    elif fault.action == "raise":
        # What talks to the host is killed, as by a system without memory; git itself and the worker live on.
        transports = _transports(rig.folder / "worker" / "mirrors")
        assert transports
        for pid in transports:
            os.kill(pid, signal.SIGKILL)


def _transports(mirrors: Path) -> list[int]:
    """Return the programs that talk to the Git host for mirrors below this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            environment = (entry / "environ").read_bytes() if words else b""
            if b"remote-http" in b" ".join(words[:2]) and bytes(mirrors) in environment:
                found.append(int(entry.name))
    return found


def _is_executing(promotion: Promotion) -> bool:
    promotion.refresh_from_db(fields=["status"])
    return promotion.status in (Status.APPROVED, Status.EXECUTING)


def _wait(
    happened: Callable[[], bool],
    fault: Fault,
    victim: Process,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    until = time.monotonic() + REACH_SECONDS
    while not happened():
        if time.monotonic() > until:
            words = victim.log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise AssertionError(f"{fault} was never reached: {words}")
        meanwhile()
        time.sleep(0.05)


def _approve_again(rig: Rig, fault: Fault, promotion: Promotion, victim: Process) -> None:
    """Do what a person does whose page showed an error: look, and approve if it still waits."""
    if fault.point not in IN_WEB:
        return
    if fault.action == "stop":
        time.sleep(0.5)
        victim.send(signal.SIGCONT)
    victim.wait()
    promotion.refresh_from_db()
    if promotion.status == "PENDING":
        rig.approve(promotion)


def clear(folder: Path) -> None:
    """Forget the workers' mirrors, so that the next run begins without them."""
    shutil.rmtree(folder / "worker" / "mirrors", ignore_errors=True)
