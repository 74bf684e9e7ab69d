"""What write-back costs: seconds, git processes, bytes fetched and pushes, from approvals to commits on the branch.

    python -m bench.write_back [--scenario ninety|many|large] [--profile]

Git host, registry and cluster run in a process of their own; the product's own sweep does the work in this one.
"""

import argparse
import base64
import cProfile
import io
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import IO, Any

ANNOTATION = "argocd-image-updater.argoproj.io/"
ARGO = "/apis/argoproj.io/v1alpha1/namespaces/argocd"
CHART = b"apiVersion: v2\nname: service\nversion: 0.1.0\n"
VALUES = b"image:\n  name: x\n  tag: main-aaaaaaa\n"
OLD, NEW = "main-aaaaaaa", "main-e1f492f"
BIG_FILES, BIG_BYTES = 50_000, 200 * 1000 * 1000
WORKER, PERSON = "bench-worker", "mei"


# --- the outside, in a process of its own ---


@dataclass
class Traffic:
    """What the git host saw."""

    pushes: int = 0
    fetched_bytes: int = 0


@dataclass(frozen=True)
class Place:
    """Where the outside answers."""

    git_folder: Path
    git: str
    registry: str
    cluster: str
    kubeconfig: str
    token: str = field(repr=False, default="root-token")


def serve(folder: Path, pipe: Pipe) -> None:
    """Run the three servers until the pipe closes; push builds and tell the traffic when asked."""
    from onebox.world.cluster import ClusterServer, administrator  # noqa: PLC0415  after the fork
    from onebox.world.git_host import GitHost  # noqa: PLC0415
    from onebox.world.registry import RegistryServer, RegistryWorld  # noqa: PLC0415

    traffic = _count_traffic()
    git = GitHost(folder / "git", {"bot": "git-password"}).start()
    account = administrator("root", "root-token")
    with RegistryServer(RegistryWorld()) as registry, ClusterServer([account]) as cluster:
        kubeconfig = cluster.write_kubeconfig(folder / "kubeconfig", account)
        pipe.send(Place(folder / "git", git.url, registry.host, cluster.url, str(kubeconfig)))
        while (order := pipe.recv()) != "stop":
            if order == "traffic":
                pipe.send(traffic.copy())
                traffic.clear()
            else:
                tag, images, moment = order
                for image in images:
                    registry.world.push(image, tag, created=moment)
                pipe.send("pushed")
    git.stop()


def _count_traffic() -> dict[str, int]:
    """Count what leaves the git host, and the pushes, from here on."""
    from onebox.world.git_host import backend  # noqa: PLC0415

    traffic: dict[str, int] = {}
    original = backend.run

    class Counted:
        def __init__(self, source: IO[bytes]) -> None:
            self._source = source

        def read(self, size: int = -1) -> bytes:
            chunk = self._source.read(size)
            traffic["bytes"] = traffic.get("bytes", 0) + len(chunk)
            return chunk

    @contextmanager
    def run(root: Path, request: backend.GitRequest, source: IO[bytes]) -> Iterator[Any]:
        traffic["requests"] = traffic.get("requests", 0) + 1
        if request.method == "POST" and request.path.endswith("/git-receive-pack"):
            traffic["pushes"] = traffic.get("pushes", 0) + 1
        with original(root, request, source) as answer:
            yield backend.GitAnswer(answer.status, answer.headers, Counted(answer.body))  # type: ignore[arg-type]

    backend.run = run
    return traffic


@contextmanager
def outside(folder: Path) -> Iterator[tuple[Place, Pipe]]:
    """Start the outside; yields its addresses and the pipe to its process."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(target=serve, args=(folder, theirs), daemon=True)
    child.start()
    yield ours.recv(), ours
    ours.send("stop")
    child.join()


# --- the product's process ---


@contextmanager
def product(place: Place, folder: Path) -> Iterator[None]:
    """Start a PostgreSQL of our own and point the product at the outside."""
    from onebox.postgres import Postgres  # noqa: PLC0415

    server = Postgres(folder / "postgres")
    server.start()
    os.environ |= {
        "DATABASE_URL": server.url, "DATABASE_OWNER_URL": server.owner_url, "SECRET_KEY": "b" * 60, "REDIS_URL": "memory://",
        "DJANGO_SETTINGS_MODULE": "updater.settings", "LOG_LEVEL": "ERROR",
        "KUBECONFIG": place.kubeconfig, "STATE_DIR": str(folder / "state"),
        "ALLOW_INSECURE_GIT": "true", "ALLOW_INSECURE_REGISTRIES": place.registry,
    }  # fmt: skip
    import django  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("prepare_database", verbosity=0)
    yield
    from django.db import connection  # noqa: PLC0415

    connection.close()
    server.stop()


class Team:
    """Applications of one scenario, and the stages of the product that bring them to approved promotions."""

    def __init__(self, place: Place, pipe: Pipe) -> None:
        import httpx  # noqa: PLC0415

        self._place, self._pipe = place, pipe
        headers = {"Authorization": f"Bearer {place.token}"}
        self._http = httpx.Client(base_url=place.cluster, headers=headers, trust_env=False)
        self._images: list[str] = []
        login = base64.b64encode(b"reader:registry-password").decode()
        document = json.dumps({"auths": {place.registry: {"auth": login}}})
        self._add_secret("registry-secret", {".dockerconfigjson": document}, "")

    def repository(self, name: str, files: dict[str, bytes]) -> str:
        """Make a git repository with its Secret and return its URL."""
        from onebox.world.git_host import Repositories  # noqa: PLC0415

        Repositories(self._place.git_folder).create(name, files)
        return self.admit(name)

    def admit(self, name: str) -> str:
        """Give Argo CD the Secret of a repository that is there, and return its URL."""
        url = f"{self._place.git}/{name}.git"
        fields = {"type": "git", "url": url, "username": "bot", "password": "git-password"}
        self._add_secret(f"repository-{name.replace('/', '-')}", fields, "repository")
        return url

    def application(self, name: str, url: str, path: str) -> None:
        """Create an Application with one image of its own, running the old build."""
        image = f"acme/{name}"
        self._images.append(image)
        settings = {
            "image-list": f"app={self._place.registry}/{image}", "update-strategy": "latest",
            "write-back-method": "git", "app.allow-tags": "regexp:^main",
            "app.helm.image-name": "image.name", "app.helm.image-tag": "image.tag",
            "app.pull-secret": "pullsecret:argocd/registry-secret",
        }  # fmt: skip
        annotations = {ANNOTATION + key: value for key, value in settings.items()}
        source = {"repoURL": url, "path": path, "targetRevision": "main"}
        destination = {"server": "https://kubernetes.default.svc", "namespace": "shop"}
        manifest = {
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "annotations": annotations},
            "spec": {"project": "default", "source": source, "destination": destination,
                     "syncPolicy": {"automated": {}}},
        }  # fmt: skip
        self._http.post(f"{ARGO}/applications", json=manifest).raise_for_status()
        running = f"{self._place.registry}/{image}:{OLD}"
        status = {
            "sourceType": "Helm", "sync": {"status": "Synced", "revision": "main"},
            "health": {"status": "Healthy"}, "summary": {"images": [running]},
        }  # fmt: skip
        headers = {"Content-Type": "application/merge-patch+json"}
        self._http.patch(
            f"{ARGO}/applications/{name}", json={"status": status}, headers=headers
        ).raise_for_status()

    def build(self) -> None:
        """Push the running and the new build of every image, read the cluster, scan the registry."""
        from updater import clock, inventory, scanning  # noqa: PLC0415
        from updater.audit import Actor  # noqa: PLC0415
        from updater.connections import Connections  # noqa: PLC0415
        from updater.models import ImageRepository  # noqa: PLC0415

        for tag, moment in ((OLD, "2026-11-20T10:00:00Z"), (NEW, "2026-11-23T10:00:00Z")):
            self._pipe.send((tag, self._images, moment))
            self._pipe.recv()
        world, by = Connections(), Actor(WORKER, via="worker")
        how = inventory.Reading("in-cluster", "argocd", [], allow_http=True)
        inventory.reconcile(world.cluster.list_applications(), how=how, by=by, at=clock.now())
        while ImageRepository.objects.filter(scanned_at=None).exists():
            scanning.scan_due(
                endpoints=world.registries, credentials_for=world.registry_credentials,
                at=clock.now(), by=by, tuning=scanning.Tuning(interval_seconds=3600, guard_seconds=0),
            )  # fmt: skip

    def _add_secret(self, name: str, fields: dict[str, str], kind: str) -> None:
        labels = {"argocd.argoproj.io/secret-type": kind} if kind else {}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in fields.items()}
        metadata = {"name": name, "labels": labels}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
        answer = self._http.post("/api/v1/namespaces/argocd/secrets", json=body)
        if answer.status_code != 409:
            answer.raise_for_status()


def propose() -> None:
    """Open promotions for everything that was found."""
    from approvals import promotions  # noqa: PLC0415
    from updater.audit import Actor  # noqa: PLC0415
    from updater.connections import Connections  # noqa: PLC0415
    from updater.models import Candidate  # noqa: PLC0415

    while Candidate.objects.filter(is_current=True, promotions=None, problem="").exists():
        promotions.sweep(world=Connections(), by=Actor(WORKER, via="worker"))


def approve_all() -> int:
    """Let a person approve everything that is pending; return how many."""
    from django.contrib.auth.models import Group, User  # noqa: PLC0415

    from approvals import decisions  # noqa: PLC0415
    from approvals.models import Promotion  # noqa: PLC0415
    from approvals.permissions import Role  # noqa: PLC0415
    from updater.audit import Actor  # noqa: PLC0415

    person, _ = User.objects.get_or_create(username=PERSON)
    person.groups.add(Group.objects.get_or_create(name=Role.APPROVER)[0])
    by = Actor(name=PERSON, kind="person", via="page", user_id=person.pk)
    pending = list(Promotion.objects.filter(status="PENDING"))
    for row in pending:
        decisions.approve(promotion_id=row.pk, seal=row.seal, reason="", person=person, by=by)
    return len(pending)


def execute() -> None:
    """Carry out what was approved, as the worker's task does."""
    from approvals import execution  # noqa: PLC0415
    from updater.audit import Actor  # noqa: PLC0415
    from updater.connections import Connections  # noqa: PLC0415

    execution.sweep(world=Connections(), holder=WORKER, by=Actor(WORKER, via="worker"))


def require_written(count: int) -> None:
    """Stop unless exactly so many promotions were written since the last look."""
    from approvals.models import Promotion  # noqa: PLC0415

    states = Promotion.objects.filter(status="VERIFYING").count()
    rest = Promotion.objects.exclude(status__in=["VERIFYING", "SUCCEEDED"]).first()
    if states != count or rest is not None:
        words = f"{rest.status} {rest.status_reason}" if rest else ""
        raise SystemExit(f"{states} of {count} promotions were written. {words}")


def archive() -> None:
    """Count the written promotions as done and their Applications as gone: the next scenario starts alone."""
    from approvals.models import Promotion  # noqa: PLC0415

    Promotion.objects.filter(status="VERIFYING").update(status="SUCCEEDED")


# --- figures ---


class Meter:
    """Measures one piece of work: time here, git processes here, traffic there."""

    def __init__(self, pipe: Pipe, *, profile: bool) -> None:
        from updater.integrations.git import process  # noqa: PLC0415

        self._pipe, self._profile, self._processes = pipe, profile, 0
        original = process.run

        def run(*arguments: Any, **options: Any) -> process.Finished:
            self._processes += 1
            return original(*arguments, **options)

        process.run = run

    def measure(self, name: str, work: Callable[[], None]) -> float:
        """Do the work, print its figures, return the seconds."""
        self._take_traffic()
        self._processes = 0
        profiler = cProfile.Profile() if self._profile else None
        started, processor = time.perf_counter(), time.process_time()
        if profiler:
            profiler.runcall(work)
        else:
            work()
        seconds, processor = time.perf_counter() - started, time.process_time() - processor
        traffic = self._take_traffic()
        print(
            f"  {name:<34} {seconds:7.2f} s (CPU {processor:6.2f} s), {self._processes:5} git processes,"
            f" {traffic.get('bytes', 0) / 1e6:8.2f} MB fetched, {traffic.get('pushes', 0):3} pushes",
            flush=True,
        )
        if profiler:
            _print_profile(profiler)
        return seconds

    def _take_traffic(self) -> dict[str, int]:
        self._pipe.send("traffic")
        traffic: dict[str, int] = self._pipe.recv()
        return traffic


def _print_profile(profiler: cProfile.Profile) -> None:
    import pstats  # noqa: PLC0415

    text = io.StringIO()
    pstats.Stats(profiler, stream=text).sort_stats("cumulative").print_stats(60)
    print(text.getvalue())


# --- scenarios ---


def ninety(team: Team, meter: Meter) -> None:
    """90 Applications in one repository over HTTP."""
    names = [f"ninety-{number}" for number in range(90)]
    url = team.repository("acme/ninety", _charts(names))
    for name in names:
        team.application(name, url, name)
    team.build()
    meter.measure("90 planned and opened", propose)
    count = approve_all()
    meter.measure(f"{count} written, one repository", execute)
    require_written(count)


def many(team: Team, meter: Meter) -> None:
    """500 promotions over 20 repositories."""
    for number in range(20):
        names = [f"many-{number}-{place}" for place in range(25)]
        url = team.repository(f"acme/many-{number}", _charts(names))
        for name in names:
            team.application(name, url, name)
    team.build()
    meter.measure("500 planned and opened", propose)
    count = approve_all()
    meter.measure(f"{count} written, 20 repositories", execute)
    require_written(count)


def large(team: Team, meter: Meter) -> None:
    """One repository of 50,000 files and 200 MB: the mirror's first and second use."""
    from updater.connections import Connections  # noqa: PLC0415

    url = team.admit(_large_repository(team))
    team.application("large", url, "app")

    def use() -> None:
        mirror = Connections().mirror(url, "default")
        if mirror.read_file(mirror.fetch("main"), "app/values.yaml") != VALUES:
            raise SystemExit("the mirror holds something else")

    meter.measure("large: first use of the mirror", use)
    meter.measure("large: second use, nothing new", use)
    team.build()
    meter.measure("large: planned and opened", propose)
    count = approve_all()
    meter.measure("large: written", execute)
    require_written(count)
    meter.measure("large: used after our commit", use)


def _charts(names: list[str]) -> dict[str, bytes]:
    """Return a chart for each name, and the override file of an Application that was promoted before."""
    charts = {f"{name}/Chart.yaml": CHART for name in names}
    overrides = {f"{name}/.argocd-source-{name}.yaml": _override(name) for name in names}
    return charts | overrides | {f"{name}/values.yaml": VALUES for name in names}


def _override(name: str) -> bytes:
    values = (("replicas", "2"), ("host", f"{name}.example.com"))
    entries = "".join(f"  - name: {key}\n    value: {value}\n" for key, value in values)
    return f"helm:\n  parameters:\n{entries}".encode()


def _large_repository(team: Team) -> str:
    """Make the repository by one import of incompressible files in 500 folders."""
    from onebox.world.git_host import Repositories, repositories  # noqa: PLC0415

    name = "acme/large"
    path = Repositories(team._place.git_folder).create(name, {})  # noqa: SLF001  same file
    command = ["git", f"--git-dir={path}", "fast-import", "--quiet"]
    random.seed(4)
    size = BIG_BYTES // BIG_FILES
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, env=repositories.environment()
    ) as importer:
        assert importer.stdin is not None  # noqa: S101  it was asked for
        write = importer.stdin.write
        write(b"commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 1\nx\n")
        for file, content in (("app/Chart.yaml", CHART), ("app/values.yaml", VALUES)):
            write(f"M 100644 inline {file}\ndata {len(content)}\n".encode() + content + b"\n")
        for number in range(BIG_FILES):
            content = random.randbytes(size)
            file = f"team-{number % 20}/service-{number % 500}/file-{number}"
            write(f"M 100644 inline {file}\ndata {size}\n".encode() + content + b"\n")
    return name


SCENARIOS = {"ninety": ninety, "many": many, "large": large}


def main() -> None:
    """Measure all scenarios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), help="one of them only")
    parser.add_argument(
        "--profile", action="store_true", help="show where the time goes (slows down)"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cs-bench-"))
    try:
        with outside(folder) as (place, pipe), product(place, folder):
            team, meter = Team(place, pipe), Meter(pipe, profile=options.profile)
            for name in [options.scenario] if options.scenario else SCENARIOS:
                print(f"\n{SCENARIOS[name].__doc__}")
                SCENARIOS[name](team, meter)
                archive()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
