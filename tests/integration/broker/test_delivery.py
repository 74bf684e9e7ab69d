"""Messages are doorbells: whatever happens to Redis, to a message or to a worker, what is approved is written once."""

import inspect
import json
import pickle
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings

from approvals.models import Execution, Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY
from updater.audit import AuditKind
from updater.celery import QUEUES, app
from updater.models import AuditEvent

CONTENT_TYPES = {
    "application/x-python-serialize": pickle.dumps(([], {}, {})),
    "application/x-yaml": b"[[], {}, {}]",
    "application/x-msgpack": b"\x93\x90\x80\x80",
}


def is_written(promotion):
    return lambda: Promotion.objects.get(pk=promotion.pk).status == "VERIFYING"


def commits(outside):
    return len(outside.git.log(REPOSITORY, "main")) - 1


def count(promotion, kind):
    return AuditEvent.objects.filter(promotion=str(promotion.pk), kind=kind).count()


def envelope(body, *, content_type="application/json", task="approvals.execute_promotions"):
    """Return a message as kombu puts it on a queue, made by hand as an intruder would."""
    return json.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": content_type,
            "headers": {"lang": "py", "task": task, "id": "11111111-1111-4111-8111-111111111111",
                        "argsrepr": "()", "kwargsrepr": "{}", "retries": 0, "eta": None,
                        "expires": None, "timelimit": [None, None], "root_id": None,
                        "parent_id": None, "origin": "intruder", "group": None},
            "properties": {"correlation_id": "1", "delivery_mode": 2, "priority": 0,
                           "delivery_info": {"exchange": "", "routing_key": "execute"},
                           "delivery_tag": "11111111-1111-4111-8111-111111111112",
                           "body_encoding": "utf-8"},
        }
    )  # fmt: skip


@pytest.mark.slow
def test_c05_redis_wiped_and_restarted_loses_nothing(plant, example, sre):
    # FLUSHALL takes queues, bindings and unacknowledged messages; a restart takes the connections.
    promotion = example.offer()
    plant.worker()
    plant.beat()
    plant.wait(lambda: plant.rung() > 5, seconds=20)

    plant.client().flushall()
    approve(promotion, sre)
    took = plant.wait(is_written(promotion))
    later = example.offer("main-77ab0c3", "frontend", created="2026-11-26T10:00:00Z")
    plant.valkey.stop()
    approve(later, sre)  # Redis is down: the approval does not care
    time.sleep(1)
    plant.valkey.start()
    took_again = plant.wait(is_written(later))

    assert max(took, took_again) < 60
    assert commits(example) == 2


@pytest.mark.slow
def test_c07_worker_killed_while_it_writes_is_resumed_and_writes_once(plant, example, sre):
    promotion = approve(example.offer(), sre)
    first = plant.worker()
    example.git.faults.delay_seconds = 2.0
    plant.ring()
    plant.wait(lambda: Execution.objects.filter(status="RUNNING").exists(), seconds=20)

    plant.kill(first)  # its message was not acknowledged
    example.git.faults.delay_seconds = 0.0
    plant.worker()
    plant.beat()
    took = plant.wait(is_written(promotion))

    assert took < 60
    assert commits(example) == 1
    assert count(promotion, AuditKind.OVERRIDE_COMMITTED) == 1
    assert {row.status for row in Execution.objects.all()} <= {"SUCCEEDED", "LOST", "ERRORED"}


def test_c01_c04_c11_foreign_and_repeated_messages_do_nothing_but_ring(plant, example, sre):
    promotion = example.offer()
    worker = plant.worker(processes=2)
    broker = plant.client()
    for content_type, body in CONTENT_TYPES.items():
        broker.lpush("execute", envelope(body.decode("latin-1"), content_type=content_type))
    named = json.dumps([[str(promotion.pk)], {"promotion_id": str(promotion.pk)}, {}])
    broker.lpush("execute", envelope(named))  # C02: a name of work in a message
    for order in ("shutdown", "pool_restart", "rate_limit", "revoke"):
        plant.celery().control.broadcast(order, arguments={})
    plant.wait(lambda: broker.llen("execute") == 0)
    assert Promotion.objects.get(pk=promotion.pk).status == "PENDING"

    approve(promotion, sre)
    plant.ring(times=100)
    plant.wait(is_written(promotion))
    plant.wait(lambda: broker.llen("execute") == 0)

    assert worker.poll() is None
    assert "ContentDisallowed" in plant.log("worker-0")
    assert commits(example) == 1
    for kind in (AuditKind.EXECUTION_STARTED, AuditKind.OVERRIDE_COMMITTED):
        assert count(promotion, kind) == 1


def test_c14_ten_thousand_queued_scans_do_not_delay_an_execution(plant, example, sre):
    promotion = example.offer()
    plant.worker()
    plant.ring()
    plant.wait(lambda: plant.client().llen("execute") == 0)  # it listens
    scans = [envelope("[[], {}, {}]", task="updater.scan_registries")] * 10_000
    plant.client().lpush("scan", *scans)

    approve(promotion, sre)
    plant.ring()
    plant.wait(Execution.objects.exists, seconds=20)

    assert plant.client().llen("scan") == 10_000  # none of them had to go first


@pytest.mark.slow
def test_c10_beat_back_after_an_hour_and_a_second_beat_make_no_burst(plant):
    plant.beat()
    plant.wait(lambda: plant.rung() > 3, seconds=30)
    plant.processes[0].terminate()  # as a deployment ends it: it writes its memory down
    plant.processes[0].wait(20)
    _an_hour_ago(plant)
    broker = plant.client()
    broker.delete(*QUEUES)

    plant.beat()
    plant.beat()
    plant.wait(lambda: broker.llen("execute") > 0, seconds=20)
    time.sleep(2)

    rung = [json.loads(text) for text in broker.lrange("execute", 0, -1)]
    assert len(rung) <= 2 * 2 * 5  # two beats, two tasks, once a second
    assert all(message["headers"]["expires"] for message in rung)  # nobody works them off later


def _an_hour_ago(plant):
    """Let beat's own memory say that everything ran last an hour ago."""
    code = (
        "import shelve, sys, datetime as d\n"
        "with shelve.open(sys.argv[1], writeback=True) as kept:\n"
        "    for entry in kept['entries'].values():\n"
        "        entry.last_run_at -= d.timedelta(hours=1)\n"
    )
    file = str(django_settings.STATE_DIR / "beat-schedule")
    subprocess.run([sys.executable, "-c", code, file], check=True, env=plant.env)


def our_tasks():
    app.loader.import_default_modules()
    return sorted(name for name in app.tasks if name.startswith(("updater.", "approvals.")))


@pytest.mark.parametrize("name", our_tasks())
def test_c02_c16_task_takes_no_arguments_that_could_name_work_or_hold_a_secret(name):
    assert not inspect.signature(app.tasks[name].run).parameters


def test_c11_remote_control_is_off_and_only_json_is_read():
    assert app.conf.worker_enable_remote_control is False
    assert app.conf.accept_content == ["json"]
