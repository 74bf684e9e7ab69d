"""The process tree as a whole: `python -m onebox up`, its children, and what happens when one or all die."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onebox import ports, product
from updater import celery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

PATIENCE_SECONDS = 90
ROOT = Path(__file__).resolve().parent.parent.parent.parent
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")


def test_queues_are_those_of_celery():
    assert tuple(product.END_SIGNALS) == celery.QUEUES


class Tree:
    """A running `up` in a state directory of its own."""

    def __init__(self, folder):
        self.state = folder / "state"
        self.port = ports.first_free(1, start=20000)[0]
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(_KUBECONFIG), encoding="utf-8")
        env = {name: value for name, value in os.environ.items() if name not in OURS}
        self._env = {**env, "KUBECONFIG": str(kubeconfig), "PYTHONUNBUFFERED": "1"}
        self._output = folder / "output"
        self.process = self.start(output=self._output.open("wb"))

    def start(self, output):
        command = [sys.executable, "-m", "onebox", "up"]
        command += [f"--port={self.port}", f"--state={self.state}"]
        with output:
            return subprocess.Popen(
                command, cwd=ROOT, env=self._env, stdout=output, stderr=subprocess.STDOUT
            )

    def manage(self, *command):
        door = [sys.executable, "-m", "onebox", "manage", f"--state={self.state}"]
        return subprocess.run(
            [*door, *command], cwd=ROOT, env=self._env, capture_output=True, text=True, check=False
        )

    @property
    def output(self):
        return self._output.read_text(encoding="utf-8")

    def wait_for(self, words, *, after=0):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.output[after:]:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def children(self):
        """Return the command lines of the living children by process id."""
        found = {}
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                parent = re.search(r"^PPid:\t(\d+)$", status.read_text(), re.MULTILINE)[1]
                command = (status.parent / "cmdline").read_text().replace("\0", " ").strip()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(parent) == self.process.pid and command:
                found[int(status.parent.name)] = command
        return found

    def child(self, words):
        return next(pid for pid, command in self.children().items() if words in command)


_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {"token": "t"}}],
    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
}


def _wait_until_gone(pids):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(_lives(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = Tree(tmp_path_factory.mktemp("up"))
    tree.wait_for("Ctrl-C")
    yield tree
    if tree.process.poll() is None:
        tree.process.terminate()
        tree.process.wait(PATIENCE_SECONDS)


def test_up_says_what_it_does_and_how_to_get_in(tree):
    for line in (
        "the cluster at http://127.0.0.1:1 does not answer",
        "PostgreSQL answers",
        "Valkey answers",
        "the database is up to date",
        f"the first page is served at http://localhost:{tree.port}/",
        "create_person",
    ):
        assert line in tree.output


def test_up_starts_the_product_and_keeps_the_cluster_from_web_and_beat_and_the_owner_from_all(tree):
    environments = {}
    for name in ("uvicorn", "--queues=scan", "--queues=execute", " beat "):
        raw = Path(f"/proc/{tree.child(name)}/environ").read_text()
        environments[name] = dict(entry.partition("=")[::2] for entry in raw.split("\0"))

    has_access = {name: "KUBECONFIG" in env for name, env in environments.items()}
    assert has_access == {
        "uvicorn": False, " beat ": False, "--queues=scan": True, "--queues=execute": True,
    }  # fmt: skip
    assert all("SECRET_KEY" not in env for env in environments.values())
    assert all("DATABASE_OWNER_URL" not in env for env in environments.values())
    assert all("//countersign@" in env["DATABASE_URL"] for env in environments.values())


def test_up_on_a_state_in_use_is_refused(tree, tmp_path):
    second = tree.start(output=(tmp_path / "output").open("wb"))

    assert second.wait(PATIENCE_SECONDS) == 1
    refusal = (tmp_path / "output").read_text()
    assert f"in use by process {tree.process.pid}" in refusal


def test_manage_runs_a_command_beside_the_running_product(tree, tmp_path):
    password = tmp_path / "password"
    password.write_text("a long enough password", encoding="utf-8")

    done = tree.manage("create_person", "mei", "--role=approver", f"--password-file={password}")

    assert done.stdout == "mei now has the role approver.\n", done.stderr


@pytest.mark.parametrize(
    ("name", "words"), [("worker-scan", "--queues=scan"), ("valkey", "valkey.sock")]
)
def test_up_when_a_child_is_killed_starts_it_again(tree, name, words):
    killed, said = tree.child(words), len(tree.output)

    os.kill(killed, signal.SIGKILL)

    tree.wait_for(f"{name} ended (by SIGKILL)", after=said)
    tree.wait_for(f"{name} runs again", after=said)
    assert tree.child(words) != killed


def test_up_when_asked_to_stop_stops_everything_in_order(tree):
    children = list(tree.children())

    tree.process.terminate()

    assert tree.process.wait(PATIENCE_SECONDS) == 0
    assert tree.output.endswith("all stopped\n")
    assert not any(_lives(pid) for pid in children)


def test_up_when_killed_takes_every_child_along(tree, tmp_path):
    again = tree.start(output=(tmp_path / "output").open("wb"))
    tree.process, tree._output = again, tmp_path / "output"
    tree.wait_for("Ctrl-C")
    children = list(tree.children())

    again.kill()
    again.wait()

    assert len(children) >= 6
    _wait_until_gone(children)
