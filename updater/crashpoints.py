"""Named places where a test may let the process die, fail, stand still or lose an answer; nothing in production.

The setting FAULTS orders it as `POINT=ACTION`, or `POINT#3=ACTION` for the third time that the point is reached:

    kill   the whole process group is killed (SIGKILL)
    raise  an error that nobody anticipates
    stop   the whole process group stands still (SIGSTOP), until somebody lets it go on (SIGCONT)
    lose   the effect has happened and its answer was lost: the transaction's, or the outside system's

Each order is carried out once in a process, after its line was appended to the file that FAULTS_LOG names.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db import OperationalError

from updater.errors import TransientError

STOP_SECONDS = 0.2  # a thread may run on for a moment after its process was told to stand still

# Every place, by the step of an execution that it stands in, and what is lost when its answer is lost.
DATABASE, OUTSIDE = "database", "outside"
POINTS: Mapping[str, tuple[str, str]] = {
    "approve.in_transaction": ("P01", DATABASE),
    "approve.committed": ("P02", DATABASE),
    "ring.before": ("P03", OUTSIDE),
    "ring.after": ("P04", OUTSIDE),
    "lease.claimed": ("P05", DATABASE),
    "preflight": ("P06", OUTSIDE),
    "fetch.before": ("P07", OUTSIDE),
    "fetch.after": ("P07", OUTSIDE),
    "build.after": ("P08", OUTSIDE),
    "intent.in_transaction": ("P08", DATABASE),
    "push.before": ("P09", OUTSIDE),
    "push.after": ("P11", OUTSIDE),
    "record.in_transaction": ("P12", DATABASE),
    "record.after": ("P13", DATABASE),
    "refresh.before": ("P13", OUTSIDE),
    "refresh.after": ("P14", OUTSIDE),
    "patch.before": ("P13", OUTSIDE),
    "patch.after": ("P14", OUTSIDE),
    "finish.in_transaction": ("P15", DATABASE),
    "finish.after": ("P15", DATABASE),
    "execute.before_ack": ("P16", OUTSIDE),
    "observe.before": ("P17", OUTSIDE),
    "outcome.in_transaction": ("P17", DATABASE),
    "outcome.after": ("P17", DATABASE),
}


class OrderedCrashError(RuntimeError):
    """A test asked for an error that nobody anticipates."""


class AnswerLostError(TransientError, ConnectionError):
    """A test asked for an effect without an answer, as when a connection is cut in between."""

    code = "answer_lost"


class OrderUnknownError(ValueError):
    """FAULTS names no point or no action that there is."""


@dataclass(slots=True)
class _Order:
    action: str
    at: int  # the how manieth time
    reached: int = 0


def crashpoint(name: str) -> None:
    """Do what a test ordered for this place; nothing without an order."""
    orders = _orders()
    if orders and name in orders:
        _reach(name, orders[name])


def parse(text: str) -> dict[str, _Order]:
    """Read the orders of FAULTS.

    Raises:
        OrderUnknownError: no such point or action.
    """
    orders = {}
    for word in text.split(","):
        place, _, action = word.strip().partition("=")
        point, _, number = place.partition("#")
        if point not in POINTS or action not in _ACTIONS:
            raise OrderUnknownError(f"FAULTS holds {word!r}: no such point or action.")
        orders[point] = _Order(action, int(number or 1))
    return orders


@lru_cache(maxsize=1)
def _orders() -> dict[str, _Order]:
    return parse(settings.FAULTS) if settings.FAULTS else {}


def _reach(name: str, order: _Order) -> None:
    order.reached += 1
    if order.reached == order.at:
        _note(f"{name} {order.action} {os.getpid()}\n")
        _ACTIONS[order.action](name)


def _note(line: str) -> None:
    if settings.FAULTS_LOG:
        with open(settings.FAULTS_LOG, "a", encoding="utf-8") as log:  # noqa: PTH123  appends in one write
            log.write(line)


def _kill(_: str) -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _raise(name: str) -> None:
    raise OrderedCrashError(f"ordered at {name}")


def _stop(_: str) -> None:
    os.killpg(os.getpgrp(), signal.SIGSTOP)
    time.sleep(STOP_SECONDS)


def _lose(name: str) -> None:
    if POINTS[name][1] == DATABASE:
        # Inside a transaction this undoes it, as the server does when its client is gone.
        raise OperationalError(f"ordered at {name}: server closed the connection unexpectedly")
    raise AnswerLostError(f"ordered at {name}: the connection was cut")


_ACTIONS: Mapping[str, Callable[[str], None]] = {
    "kill": _kill,
    "raise": _raise,
    "stop": _stop,
    "lose": _lose,
}
ACTIONS = tuple(_ACTIONS)
