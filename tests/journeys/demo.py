"""A running demo as a visitor meets it: the processes of `make demo`, seen from outside."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from onebox import ports
from onebox.world.people import PASSWORD

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 120
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "ALLOWED_HOSTS")


class Demo:
    """`python -m onebox demo` in a state directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = ports.first_free(1, start=21000)[0]
        self.url = f"http://localhost:{self.port}"
        self.state = folder / "state"
        self._visitors: list[Visitor] = []
        self._output = folder / "output"
        env = {name: value for name, value in os.environ.items() if name not in OURS}
        command = [sys.executable, "-m", "onebox", "demo", f"--port={self.port}"]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, f"--state={self.state}"],
                cwd=ROOT,
                env={**env, "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.wait(lambda: "Ctrl-C stops everything" in self.output)

    @property
    def output(self) -> str:
        """Everything the demo printed."""
        return self._output.read_text(encoding="utf-8")

    @property
    def place(self) -> dict[str, Any]:
        """Where the world listens."""
        return json.loads(next(self.state.glob("world/*.json")).read_text())

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        for visitor in self._visitors:
            visitor.close()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def wait(self, what: Callable[[], Any]) -> Any:
        """Return the first true answer; fail with the demo's own words if there is none in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (answer := what()):
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)
        return answer

    def push(self, repository: str, tag: str) -> None:
        """Push a build as the guide tells a visitor to."""
        url = f"http://127.0.0.1:{self.place['registry_port']}/_push"
        httpx.post(url, json={"repository": repository, "tag": tag}).raise_for_status()

    def commits(self, repository: str) -> str:
        """Return the Git host's page of a repository's commits."""
        url = f"http://127.0.0.1:{self.place['git_port']}/{repository}/commits/main"
        return httpx.get(url).raise_for_status().text

    def file_of_commit(self, repository: str, sha: str, path: str) -> str:
        """Return a file as a commit left it."""
        return self._git(repository, "show", f"{sha}:{path}")

    def changed_by_commit(self, repository: str, sha: str) -> list[str]:
        """Return the paths a commit changed."""
        return self._git(repository, "show", "--format=", "--name-only", sha).split()

    def _git(self, repository: str, *command: str) -> str:
        folder = next(self.state.glob(f"world/git/{repository}.git"))
        done = subprocess.run(
            [str(shutil.which("git")), f"--git-dir={folder}", *command],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def sign_in(self, username: str) -> "Visitor":
        """Sign somebody in through the page."""
        visitor = Visitor(self, username)
        self._visitors.append(visitor)
        return visitor


class Visitor:
    """Somebody with a browser that runs no JavaScript."""

    def __init__(self, demo: Demo, username: str) -> None:
        self._client = httpx.Client(base_url=demo.url, follow_redirects=True, timeout=20)
        page = self.get("/sign-in/")
        self.post("/sign-in/", page, username=username, password=PASSWORD)

    def close(self) -> None:
        """Close the browser."""
        self._client.close()

    def get(self, path: str) -> str:
        """Open a page."""
        return self._client.get(path).raise_for_status().text

    def api(self, path: str, **query: str) -> dict[str, Any]:
        """Ask the API with the session of the pages."""
        return self._client.get(f"/api/v1/{path}", params=query).raise_for_status().json()

    def post(self, path: str, page: str, **fields: str) -> httpx.Response:
        """Send a form that stood on a page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page
        headers = {"Referer": str(self._client.base_url)}
        data = {"csrfmiddlewaretoken": token[1], **fields}
        return self._client.post(path, data=data, headers=headers)
