"""A world with a cluster and an Argo CD in it: Applications, Git repositories, and all that was seen of them."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from onebox.world import argocd
from onebox.world.argocd import Controller, ImageFact, Settings
from onebox.world.cluster import ClusterServer, administrator
from onebox.world.cluster.kubeconfig import Connection

Json = dict[str, Any]

QUICK = Settings(
    resync_seconds=3600,
    jitter_seconds=0,
    repository_error_grace_seconds=0.4,
    operation_step_seconds=0.03,
    pod_start_seconds=0.05,
    rollout_seconds=0.12,
    progress_deadline_seconds=0.3,
    self_heal_backoff_seconds=0.05,
    window_check_seconds=0.05,
    hydration_cooldown_seconds=0.1,
)
AUTOMATED = {"automated": {}}
DESTINATION = {"server": "https://kubernetes.default.svc", "namespace": "shop"}
MERGE = {"Content-Type": "application/merge-patch+json"}


def chart(**tags: str) -> dict[str, str]:
    """Return the files of a chart with one image per keyword."""
    values = {name: {"image": f"registry.example/{name}", "tag": tag} for name, tag in tags.items()}
    return {"Chart.yaml": "name: chart\nversion: 1.0.0\n", "values.yaml": json.dumps(values)}


def override(*parameters: tuple[str, str]) -> str:
    """Return an override file in the bytes the image updater writes."""
    lines = [
        f"  - name: {name}\n    value: {value}\n    forcestring: true\n"
        for name, value in parameters
    ]
    return "helm:\n  parameters:\n" + "".join(lines)


class GitRepository:
    """A bare repository that commits arrive in without a working tree."""

    def __init__(self, url: str, branches: set[str]) -> None:
        self.url = url
        self._branches = branches

    @classmethod
    def made(cls, folder: Path) -> "GitRepository":
        command = ["git", "init", "-q", "--bare", "-b", "main", str(folder)]
        subprocess.run(command, check=True)
        return cls(str(folder), set())

    @classmethod
    def opened(cls, url: str) -> "GitRepository":
        return cls(url, {"main"})

    def commit(self, files: Mapping[str, str | None], branch: str = "main") -> str:
        """Put files on top of a branch and return the commit; None deletes."""
        lines = [f"commit refs/heads/{branch}", "committer T <t@example.com> 1700000000 +0000"]
        lines += ["data 1", "m"]
        if branch in self._branches:
            lines.append(f"from refs/heads/{branch}^0")
        for path, text in files.items():
            size = len((text or "").encode())
            lines.append(
                f"D {path}" if text is None else f"M 100644 inline {path}\ndata {size}\n{text}"
            )
        self._git("fast-import", "--quiet", text="\n".join(lines) + "\n")
        self._branches.add(branch)
        return self.head(branch)

    def head(self, branch: str = "main") -> str:
        return self._git("rev-parse", f"refs/heads/{branch}")

    def show(self, path: str, branch: str = "main") -> str:
        return self._git("show", f"{branch}:{path}")

    def _git(self, *arguments: str, text: str | None = None) -> str:
        command = ["git", f"--git-dir={self.url}", *arguments]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=True)
        return done.stdout.strip()


class Rig:
    """One namespace `argocd`, everything that was seen in it, and what images are like."""

    def __init__(self, server: ClusterServer, folder: Path, settings: Settings) -> None:
        self.server, self.folder, self.settings = server, folder, settings
        self.images: dict[str, ImageFact] = {}
        self.seen: list[Json] = []
        self._changed = threading.Condition()
        self._written: dict[str, int] = {}
        self.http = httpx.Client(
            base_url=server.url,
            headers={"Authorization": "Bearer token"},
            timeout=20,
            trust_env=False,
        )
        self.controller = self._controller(settings)

    def _controller(self, settings: Settings) -> Controller:
        return argocd.build(
            Connection(self.server.url, "token"),
            self.folder / "argocd",
            settings,
            look_up=lambda image: self.images.get(image, ImageFact.RUNS),
        )

    def restart(self, **changes: Any) -> None:
        """Replace the controller by one with other settings."""
        self.controller.stop()
        self.settings = replace(self.settings, **changes)
        self.controller = self._controller(self.settings)
        self.controller.start()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Hold the controller's time, so that a sync that has begun goes no further."""
        installation, now = self.controller.installation, time.time()
        installation.clock = lambda: now
        try:
            yield
        finally:
            installation.clock = time.time

    @contextmanager
    def pods_held(self) -> Iterator[Callable[[float], None]]:
        """Hold the pods' time; the yielded function moves it on."""
        live, held_at = self.controller.installation.live, time.time()

        def move_to(seconds: float) -> None:
            live.clock = lambda: held_at + seconds

        move_to(0)
        try:
            yield move_to
        finally:
            live.clock = time.time

    def path(self, plural: str, name: str = "", namespace: str = "argocd") -> str:
        tail = f"/{name}" if name else ""
        return f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/{plural}{tail}"

    def repository(self, files: Mapping[str, str], name: str = "deploy") -> GitRepository:
        made = GitRepository.made(self.folder / f"{name}-{time.monotonic_ns()}.git")
        made.commit(files)
        return made

    def project(self, name: str = "default", **spec: Any) -> None:
        """Create a project that permits everything, or change it."""
        allowed = {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "sourceNamespaces": ["team-*"],
            "syncWindows": None,
            **spec,
        }
        found = self.http.get(self.path("appprojects", name))
        if found.status_code == 404:
            body = {"metadata": {"name": name}, "spec": {k: v for k, v in allowed.items() if v}}
            self._check(self.http.post(self.path("appprojects"), json=body))
        else:
            address = self.path("appprojects", name)
            self._check(self.http.patch(address, json={"spec": allowed}, headers=MERGE))

    def create(
        self,
        name: str,
        repository: GitRepository | None = None,
        *,
        namespace: str = "argocd",
        **spec: Any,
    ) -> Json:
        """Create an Application; without a repository the spec says it all."""
        source = (
            {"source": {"repoURL": repository.url, "path": ".", "targetRevision": "main"}}
            if repository
            else {}
        )
        metadata = {"name": name, **spec.pop("metadata", {})}
        body = {
            "metadata": metadata,
            "spec": {"project": "default", "destination": DESTINATION, **source, **spec},
        }
        answer = self.http.post(self.path("applications", "", namespace), json=body)
        return self._note(self._check(answer))

    def deployed(self, name: str, repository: GitRepository, **spec: Any) -> Json:
        """Create an Application and wait until it is Synced and Healthy."""
        self.create(name, repository, **{"syncPolicy": AUTOMATED, **spec})
        return self.until(name, is_settled)

    def get(self, name: str, namespace: str = "argocd") -> Json:
        return self._check(self.http.get(self.path("applications", name, namespace)))

    def patch(self, name: str, body: Json, kind: str = "merge-patch") -> Json:
        headers = {"Content-Type": f"application/{kind}+json"}
        answer = self.http.patch(self.path("applications", name), json=body, headers=headers)
        return self._note(self._check(answer))

    def delete(self, name: str) -> None:
        self._check(self.http.delete(self.path("applications", name)))

    def refresh(self, name: str, kind: str = "normal", stamp: str | None = None) -> Json:
        annotations = {"argocd.argoproj.io/refresh": kind}
        if stamp:
            annotations["argocd.argoproj.io/refresh-timestamp"] = stamp
        return self.patch(name, {"metadata": {"annotations": annotations}})

    def until(
        self,
        name: str,
        holds: Callable[[Json], object],
        *,
        seconds: float = 15,
        namespace: str = "argocd",
    ) -> Json:
        """Return the first version for which a condition holds, now or later; none is missed."""
        key, deadline = f"{namespace}/{name}", time.monotonic() + seconds
        for app in self._versions_from_now(key, deadline):
            if holds(app):
                return app
        raise AssertionError(f"not within {seconds} s: {json.dumps(self._newest(key), indent=1)}")

    def stays(self, name: str, holds: Callable[[Json], object], *, seconds: float = 0.3) -> None:
        """Check that a condition holds for every version during a while."""
        for app in self._versions_from_now(f"argocd/{name}", time.monotonic() + seconds):
            assert holds(app), json.dumps(app, indent=1)

    def _versions_from_now(self, key: str, deadline: float) -> Iterator[Json]:
        """Yield the newest version that knows of our own writes, then each later one."""
        place = len(self.seen)
        newest = self._newest(key)
        if newest is not None:
            yield newest
        while (left := deadline - time.monotonic()) > 0:
            with self._changed:
                if len(self.seen) == place:
                    self._changed.wait(left)
            fresh, place = self.seen[place:], len(self.seen)
            yield from (app for app in fresh if self._counts(app, key))

    def _newest(self, key: str) -> Json | None:
        return next((app for app in reversed(self.seen) if self._counts(app, key)), None)

    def _counts(self, app: Json, key: str) -> bool:
        metadata = app["metadata"]
        is_same = f"{metadata['namespace']}/{metadata['name']}" == key
        return is_same and int(metadata["resourceVersion"]) >= self._written.get(key, 0)

    def versions(self, name: str, since: int = 0) -> list[Json]:
        """Return every version of an Application since a place in `seen`, oldest first."""
        return [item for item in self.seen[since:] if item["metadata"]["name"] == name]

    def events(self, name: str) -> list[tuple[str, str]]:
        query = {"fieldSelector": f"involvedObject.name={name}"}
        items = self._check(self.http.get("/api/v1/namespaces/argocd/events", params=query))[
            "items"
        ]
        return [(item["reason"], item["message"]) for item in items]

    def watch(self) -> None:
        query = {"watch": "true", "timeoutSeconds": "600"}
        try:
            path = "/apis/argoproj.io/v1alpha1/applications"
            with self.http.stream("GET", path, params=query) as answer:
                for line in answer.iter_lines():
                    with self._changed:
                        self.seen.append(json.loads(line)["object"])
                        self._changed.notify_all()
        except (httpx.HTTPError, RuntimeError):
            return  # the server ended

    def _note(self, app: Json) -> Json:
        metadata = app["metadata"]
        key = f"{metadata['namespace']}/{metadata['name']}"
        self._written[key] = int(metadata["resourceVersion"])
        return app

    def _check(self, answer: httpx.Response) -> Json:
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def running(folder: Path, settings: Settings = QUICK) -> Iterator[Rig]:
    """Run a cluster and an Argo CD with these settings."""
    with ClusterServer([administrator("root", "token")], bookmark_seconds=0.1) as server:
        rig = Rig(server, folder, settings)
        rig.project()
        threading.Thread(target=rig.watch, daemon=True).start()
        rig.controller.start()
        yield rig
        rig.controller.stop()
    rig.http.close()


def sync(app: Json) -> Json:
    return app.get("status", {}).get("sync", {})


def health(app: Json) -> str:
    return app.get("status", {}).get("health", {}).get("status", "")


def images(app: Json) -> list[str]:
    return app.get("status", {}).get("summary", {}).get("images", [])


def state(app: Json) -> Json:
    return app.get("status", {}).get("operationState", {})


def conditions(app: Json) -> dict[str, str]:
    return {item["type"]: item["message"] for item in app.get("status", {}).get("conditions", [])}


def is_settled(app: Json) -> bool:
    return (sync(app).get("status"), health(app)) == (
        "Synced",
        "Healthy",
    ) and "operation" not in app
