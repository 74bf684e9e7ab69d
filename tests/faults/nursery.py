"""A process that has loaded the product once and forks real workers from it: `python -m tests.faults.nursery`.

A worker is what `celery -A updater worker --queues=execute` is after its imports, in a session of its own; to load the
product anew for each would take longer than the run. Orders come as JSON lines on standard input, answers go out.

    {"do": "worker", "log": …, "settings": {…}, "name": …}    → {"pid": …}   a worker; its group has the same number
    {"do": "approve", "promotion": …, "seal": …, "person": …} → {"pid": …}   a process that decides as a page does
    {"do": "status", "pid": …}                                → {"status": …} null while it lives
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import django
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connections

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_PRELOADED = (
    "approvals.tasks",
    "approvals.decisions",
    "updater.tasks",
    "updater.integrations.kubernetes.client",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.worker",
    "celery.concurrency.prefork",
    "celery.worker.consumer",
    "kombu.transport.redis",
)


def main() -> None:
    """Bring the database up to date, load everything, then fork on order."""
    django.setup()
    call_command("prepare_database", verbosity=0)
    connections.close_all()
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.freeze()
    _answer({"ready": True})
    ended: dict[int, int] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "status":
            _answer({"status": _status(order["pid"], ended)})
        else:
            _answer({"pid": _fork(order)})


def _answer(told: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _status(pid: int, ended: dict[int, int]) -> int | None:
    if pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found == 0:
            return None
        ended[pid] = os.waitstatus_to_exitcode(status)
    return ended[pid]


def _fork(order: Mapping[str, Any]) -> int:
    parent = os.getpid()
    begun, begins = os.pipe()
    pid = os.fork()
    if pid:
        os.close(begins)
        os.read(begun, 1)  # until it leads its own group: a signal to that must find it
        os.close(begun)
        return pid
    try:
        os.close(begun)
        _begin(order, parent)
        os.close(begins)
        _CALLS[order["do"]](order)
    except SystemExit:
        os._exit(0)
    except BaseException:  # noqa: BLE001  a forked child must end here, whatever it was
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _begin(order: Mapping[str, Any], parent: int) -> None:
    """Become a process of one's own: session, log, settings; and die with the nursery."""
    os.setsid()
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for name, value in order.get("settings", {}).items():
        setattr(settings, name, value)
    if host := order.get("database_host"):
        connections.settings["default"]["HOST"] = host
    if ahead := int(order.get("clock_ahead", 0)):
        time_machine.travel(time.time() + ahead).start()


def _work(order: Mapping[str, Any]) -> None:
    celery = importlib.import_module("updater.celery")
    signals = importlib.import_module("celery.signals")
    signals.worker_ready.connect(_say_ready)
    celery.app.worker_main(
        [
            "worker", "--loglevel=INFO", f"--queues={order.get('queues', 'execute')}", "--concurrency=1",
            "--without-mingle", "--without-gossip", f"--hostname={order['name']}@%h",
        ]
    )  # fmt: skip


def _say_ready(**_: object) -> None:
    sys.stdout.write("ready.")
    sys.stdout.flush()


def _beat(order: Mapping[str, Any]) -> None:
    celery = importlib.import_module("updater.celery")
    celery.app.Beat(loglevel="WARNING", schedule=f"{order['log']}.schedule").run()


def _approve(order: Mapping[str, Any]) -> None:
    decisions = importlib.import_module("approvals.decisions")
    people = importlib.import_module("django.contrib.auth.models")
    audit = importlib.import_module("updater.audit")
    person = people.User.objects.get(username=order["person"])
    by = audit.Actor(name=person.username, kind="person", via="page", user_id=person.pk)
    decisions.approve(
        promotion_id=UUID(order["promotion"]), seal=order["seal"], reason="", person=person, by=by
    )


_CALLS: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "worker": _work,
    "beat": _beat,
    "approve": _approve,
}


if __name__ == "__main__":
    main()
