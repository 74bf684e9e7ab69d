"""Two worker processes and a stranger on one branch at once: nothing is lost, nothing is doubled."""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress

import pytest
from django.conf import settings as django_settings

from approvals.models import Execution, Promotion
from tests import roles
from tests.integration.git.scene import plain_git
from tests.integration.story import targets
from tests.integration.story.conftest import approve
from tests.integration.story.targets import HELM, REPOSITORY, Shape

APPLICATIONS, SECONDS = 4, 120
STRANGERS, PAUSE_SECONDS = 12, 0.3  # a branch that never rests is nobody's to write
WORKER = """
import sys, time
import django
django.setup()
from approvals import execution
from approvals.models import Promotion
from updater.audit import Actor
from updater.connections import Connections

print("ready", flush=True)
end = time.monotonic() + float(sys.argv[2])
while Promotion.objects.exclude(status="VERIFYING").exists() and time.monotonic() < end:
    Promotion.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at="2026-01-01T00:00Z")
    execution.sweep(world=Connections(), holder=sys.argv[1], by=Actor("countersign", via="worker"))
"""


@contextmanager
def workers(*names):
    """Run worker processes on the test's own database and outside, until everything is written."""
    chosen = {
        "DATABASE_URL": roles.url_of(),
        "DJANGO_SETTINGS_MODULE": "updater.settings",
        "KUBECONFIG": django_settings.KUBECONFIG,
        "STATE_DIR": str(django_settings.STATE_DIR),
        "ALLOW_INSECURE_GIT": "true",
        "ALLOW_INSECURE_REGISTRIES": ",".join(django_settings.ALLOW_INSECURE_REGISTRIES),
        "PYTHONPATH": ".",
        "LOG_LEVEL": "ERROR",
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, worker, str(SECONDS)],
            env={**os.environ, **chosen},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for worker in names
    ]
    try:
        for process in started:
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


@pytest.fixture
def promotions(outside):
    """Pending promotions of several Applications that write to one branch."""
    names = [f"service-{number}" for number in range(APPLICATIONS)]
    url = targets.repository(outside, {f"{name}/values.yaml": b"a: 1\n" for name in names})
    for name in names:
        targets.add(outside, url, Shape(name=name, source={"path": name}, annotations=HELM))
    outside.push(targets.NEW)
    outside.look()
    outside.propose()
    found = list(Promotion.objects.filter(status="PENDING"))
    assert len(found) == APPLICATIONS
    return found


def push_as_a_stranger(outside, number):
    """Push a commit unless a worker was faster between the look and the write; whether it arrived."""
    with suppress(subprocess.CalledProcessError):
        outside.git.commit(REPOSITORY, "main", {f"by-hand/{number}": b"x"}, f"by hand {number}")
        return True
    return False


def test_sweep_of_two_workers_and_a_stranger_loses_and_doubles_nothing(outside, sre, promotions):
    arrived, waiting = [], list(promotions)

    with workers("worker-1", "worker-2") as running:
        for number in range(STRANGERS):
            if waiting:
                approve(waiting.pop(), sre)
            if push_as_a_stranger(outside, number):
                arrived.append(f"by hand {number}")
            time.sleep(PAUSE_SECONDS)
        complaints = [worker.communicate()[1] for worker in running]

    path = outside.git.repositories.path(REPOSITORY)
    subjects = plain_git(path, "log", "--format=%s", "main").splitlines()
    layout = "--format=%(trailers:key=Promotion-Id,valueonly)"
    carried = plain_git(path, "log", layout, "main").split()
    rows = Promotion.objects.all()
    assert complaints == ["", ""]
    assert {(row.status, row.status_reason) for row in rows} == {
        ("VERIFYING", "Written; waits for Argo CD.")
    }
    assert Counter(carried) == Counter(str(row.pk) for row in rows)
    assert arrived
    assert [text for text in reversed(subjects) if text.startswith("by hand")] == arrived
    for row in rows:
        assert targets.NEW in plain_git(path, "show", f"main:{row.plan['files'][0]['path']}")
    assert Execution.objects.filter(status="SUCCEEDED").count() == APPLICATIONS
    assert plain_git(path, "fsck", "--strict", "--no-dangling") == ""
