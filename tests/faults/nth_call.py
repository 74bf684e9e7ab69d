"""One promotion in this process whose n-th question to a service goes wrong; then the world is well again."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from celery import Celery
from django.db import close_old_connections, connections

from approvals import doorbell, execution, outcomes
from approvals.models import Promotion
from tests.faults import checking
from tests.faults.applications import Story
from tests.faults.proxies import Proxies
from tests.faults.rig import Rig
from tests.integration.story.outside import MACHINE
from updater.connections import Connections

logger = logging.getLogger(__name__)

SERVICES = ("git", "registry", "cluster", "redis", "database")
RUNS_PER_APPLICATION = 10
MAX_CALLS = 400  # of one promotion to one service; it is about a tenth
MAX_TURNS = 12


@dataclass
class Loop:
    """All runs of one service and kind."""

    service: str
    kind: str
    step: int = 1  # of the questions, every so many
    runs: int = 0
    failures: list[str] = field(default_factory=list)


def loop(rig: Rig, service: str, kind: str, *, step: int = 1) -> Loop:
    """Let the first question go wrong, then the second, until a run passes untouched."""
    done, story = Loop(service, kind, step), rig.story()
    for number in range(1, MAX_CALLS, step):
        if done.runs and done.runs % RUNS_PER_APPLICATION == 0:
            story.remove(rig.outside)
            story = rig.story()
        fired, found = run(rig, story, service, kind, number)
        if not fired:
            story.remove(rig.outside)
            return done
        done.runs += 1
        done.failures += [f"{service} {kind} {number}: {text}" for text in found]
    raise AssertionError(f"more than {MAX_CALLS} questions to {service}")


def run(rig: Rig, story: Story, service: str, kind: str, number: int) -> tuple[bool, list[str]]:
    """Carry out one promotion with this question going wrong; return whether it was asked, and what is broken."""
    assert rig.proxies is not None
    promotion = rig.offer(story, f"main-{len(rig.stories):03x}{number:04x}")
    script = rig.proxies.script
    with _through(rig.proxies):
        script.order(kind, number, frozenset({service}))
        _attempt(lambda: rig.approve(promotion))
        _attempt(_execute)
        _attempt(lambda: _roll_out(rig, story))
        _attempt(_observe)
        script.rest()
    return bool(script.fired), _recover(rig, story, promotion)


def _recover(rig: Rig, story: Story, promotion: Promotion) -> list[str]:
    promotion.refresh_from_db()
    if promotion.status == "PENDING":
        rig.approve(promotion)  # the page showed an error, and the person tries again
    for _ in range(MAX_TURNS):
        rig.pass_time(story)
        _execute()
        story.roll_out(rig.outside)
        rig.look()  # as beat would, whatever was reported while nobody could read it
        _observe()
        if not rig.unfinished([story.name]).exists():
            break
    promotion.refresh_from_db()
    told = checking.violations(rig, [story])
    if promotion.status != "SUCCEEDED":
        told.append(f"it is {promotion.status}: {promotion.status_reason}")
    return told + checking.orphans(rig)


def _execute() -> None:
    execution.sweep(world=Connections(), holder="nth-call", by=MACHINE)


def _observe() -> None:
    outcomes.sweep(world=Connections(), by=MACHINE)


def _roll_out(rig: Rig, story: Story) -> None:
    if story.roll_out(rig.outside):
        rig.look()


def _attempt(work: Callable[[], object]) -> None:
    """Do what a request or task does; as there, an error ends it, and the next one gets a new connection."""
    try:
        work()
    except Exception as error:  # noqa: BLE001  whatever it is, the next sweep must cope
        logger.info("ended by an error", extra={"error": repr(error)})
    close_old_connections()


@contextmanager
def _through(proxies: Proxies) -> Iterator[None]:
    """Talk to PostgreSQL and Redis through their proxies."""
    database, app = connections["default"].settings_dict, doorbell.app
    connections["default"].close()
    kept = {name: database[name] for name in ("HOST", "PORT")}
    database.update(HOST="127.0.0.1", PORT=str(proxies.by_service["database"].port))
    port = proxies.by_service["redis"].port
    doorbell.app = Celery("nth-call", broker=f"redis://127.0.0.1:{port}/0")
    try:
        yield
    finally:
        doorbell.app.close()
        doorbell.app = app
        connections["default"].close()
        database.update(kept)
