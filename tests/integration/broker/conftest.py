"""A real Valkey, worker processes and beat on the test's own database and outside world."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from django.conf import settings as django_settings

from approvals.models import Promotion
from onebox.valkey import Valkey
from tests import roles
from tests.integration.story.conftest import example, outside  # noqa: F401  fixtures
from updater.celery import app

__all__ = ["Plant"]


@dataclass
class Plant:
    """What runs beside the test, and a client of the broker as anybody on the network could have it."""

    folder: Path
    valkey: Valkey
    env: dict[str, str]
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def worker(self, queue: str = "execute", *, processes: int = 1) -> "subprocess.Popen[bytes]":
        """Start a worker as compose does, and wait until it takes messages."""
        name = f"worker-{len(self.processes)}"
        started = self._start(
            name, "worker", f"--queues={queue}", f"--hostname={name}@%h",
            f"--concurrency={processes}", "--without-mingle", "--without-gossip",
        )  # fmt: skip
        self.wait(lambda: "[tasks]" in self.log(name), seconds=40)
        return started

    def beat(self) -> "subprocess.Popen[bytes]":
        """Start beat."""
        return self._start(f"beat-{len(self.processes)}", "beat")

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """End a process and all its children at once."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def log(self, name: str) -> str:
        """Return what a process said."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def ring(self, times: int = 1) -> None:
        """Send the message that hurries an execution."""
        with self.celery() as sender:
            for _ in range(times):
                sender.send_task("approvals.execute_promotions", queue="execute")

    def celery(self) -> Celery:
        """Return the product's own Celery application, talking to this broker."""
        made = Celery("tests")
        made.config_from_object("django.conf:settings", namespace="CELERY")
        made.conf.broker_url = self.valkey.url
        made.conf.task_queues = app.conf.task_queues
        return made

    def client(self) -> "redis.Redis":
        """Return a client of the broker."""
        path = self.valkey.url.removeprefix("redis+socket://").partition("?")[0]
        return redis.Redis(unix_socket_path=path)

    def wait(self, is_so: Callable[[], Any], *, seconds: float = 60) -> float:
        """Wait until it is so, and return how long that took."""
        started = time.monotonic()
        while not is_so():
            assert time.monotonic() < started + seconds, self._logs()
            time.sleep(0.05)
        return time.monotonic() - started

    def rung(self) -> int:
        """Return how often somebody put a message on a queue since the broker started."""
        return int(self.client().info("commandstats").get("cmdstat_lpush", {}).get("calls", 0))

    def stop(self) -> None:
        """End everything."""
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)
        self.valkey.stop()

    def _start(self, name: str, role: str, *options: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "celery",
                    "--app=updater",
                    role,
                    "--loglevel=INFO",
                    *options,
                ],
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def _logs(self) -> str:
        rows = Promotion.objects.values_list("status", "status_reason", "attempts")
        told = [self.log(file.stem)[-1500:] for file in self.folder.glob("*.log")]
        return "\n".join([*map(str, rows), *told])


@pytest.fixture
def plant(outside: Any, tmp_path: Path) -> Iterator[Plant]:  # noqa: F811  the fixture above
    folder = tmp_path / "plant"
    folder.mkdir()
    valkey = Valkey(folder / "valkey")
    valkey.start()
    env = {
        **os.environ,
        "DATABASE_URL": roles.url_of(),
        "REDIS_URL": valkey.url,
        "KUBECONFIG": django_settings.KUBECONFIG,
        "STATE_DIR": str(django_settings.STATE_DIR),
        "ALLOW_INSECURE_GIT": "true",
        "ALLOW_INSECURE_REGISTRIES": ",".join(django_settings.ALLOW_INSECURE_REGISTRIES),
        "SWEEP_SECONDS": "1",
    }
    Path(django_settings.STATE_DIR).mkdir(exist_ok=True)
    made = Plant(folder, valkey, env)
    yield made
    made.stop()
