"""What scans cost: requests by kind, wall, CPU and memory, first and steady, against asking per Application.

    python -m bench.scan [--latency-ms 20] [--tags 20] [--cycles 100]

The registries run in a process of their own; CPU and memory are those of the scanning process alone.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onebox.world.registry import RegistryWorld

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Scenario:
    """How many Applications follow how many repositories on how many registries."""

    applications: int
    images: int
    repositories: int
    hosts: int

    @property
    def tracked(self) -> int:
        """Images of all Applications."""
        return self.applications * self.images

    def __str__(self) -> str:
        return (
            f"{self.applications:,} Applications x {self.images} images, {self.repositories:,} image"
            f" repositories, {self.hosts} {'registry' if self.hosts == 1 else 'registries'}"
        )


SCENARIOS = [Scenario(500, 3, 200, 1), Scenario(2000, 3, 1000, 5)]


# --- the registries, in a process of their own ---


def serve(scenario: Scenario, tags: int, latency: float, pipe: Pipe) -> None:
    """Run the registries until the pipe closes; answer each word with the requests counted so far."""
    from onebox.world.registry import RegistryServer, RegistryWorld  # noqa: PLC0415  after the fork

    worlds = [RegistryWorld(latency_seconds=latency) for _ in range(scenario.hosts)]
    for number in range(scenario.repositories):
        for build in range(tags):
            push(worlds[number % scenario.hosts], number, build)
    servers = [RegistryServer(world).start() for world in worlds]
    pipe.send([server.url for server in servers])
    while (order := pipe.recv()) != "stop":
        if order == "push":  # one new build of every tenth repository
            for number in range(0, scenario.repositories, 10):
                push(worlds[number % scenario.hosts], number, tags)
        counts = [world.counts for world in worlds]
        for world in worlds:
            world.log.clear()
        pipe.send({kind: sum(each[kind] for each in counts) for kind in set().union(*counts)})


def push(world: "RegistryWorld", number: int, build: int) -> None:
    """Push one build of one repository."""
    moment = f"2026-{1 + build // 28 % 12:02}-{1 + build % 28:02}T10:00:00Z"
    world.push(f"acme/app-{number}", f"main-{build:07x}", created=moment)


@contextmanager
def registries(scenario: Scenario, tags: int, latency: float) -> Iterator[tuple[list[str], Pipe]]:
    """Start the registries; yields their addresses and the pipe to their process."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.Process(
        target=serve, args=(scenario, tags, latency, theirs), daemon=True
    )
    child.start()
    yield ours.recv(), ours
    ours.send("stop")
    child.join()


# --- the scanning process ---


@contextmanager
def database() -> Iterator[None]:
    """Start a PostgreSQL of our own and prepare Django for it."""
    from onebox.postgres import Postgres  # noqa: PLC0415

    state = Path(tempfile.mkdtemp(prefix="cs-bench-"))
    server = Postgres(state)
    server.start()
    os.environ |= {
        "DATABASE_URL": server.url, "DATABASE_OWNER_URL": server.owner_url, "SECRET_KEY": "b" * 60, "REDIS_URL": "memory://",
        "DJANGO_SETTINGS_MODULE": "updater.settings", "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    import django  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("prepare_database", verbosity=0)
    yield
    from django.db import connection  # noqa: PLC0415

    connection.close()
    server.stop()
    shutil.rmtree(state, ignore_errors=True)


def follow(scenario: Scenario) -> None:
    """Write the rows that the inventory would write."""
    from updater import clock  # noqa: PLC0415
    from updater.configuration import store  # noqa: PLC0415
    from updater.configuration.model import ImageConfiguration  # noqa: PLC0415
    from updater.images import ImageReference  # noqa: PLC0415
    from updater.models import Application, ImageRepository, Registry, TrackedImage  # noqa: PLC0415
    from updater.selection import Strategy  # noqa: PLC0415

    now = clock.now()
    hosts = [
        Registry.objects.create(host=f"registry-{number}.example")
        for number in range(scenario.hosts)
    ]
    repositories = ImageRepository.objects.bulk_create(
        ImageRepository(registry=hosts[number % scenario.hosts], name=f"acme/app-{number}")
        for number in range(scenario.repositories)
    )
    applications = Application.objects.bulk_create(
        Application(
            cluster="bench", namespace="argocd", name=f"app-{number}", uid=str(number), is_managed=True,
            first_seen_at=now, seen_at=now,
        )
        for number in range(scenario.applications)
    )  # fmt: skip
    images = []
    for number in range(scenario.tracked):
        repository = repositories[number % scenario.repositories]
        name = f"{repository.registry.host}/{repository.name}"
        configuration = ImageConfiguration(
            alias=f"image-{number % scenario.images}",
            reference=ImageReference(repository.registry.host, repository.name),
            strategy=Strategy.NEWEST_BUILD,
            allow_tags="regexp:^main-",
            live=(f"{name}:main-0000000",),
        )
        images.append(
            TrackedImage(
                application=applications[number // scenario.images], alias=configuration.alias,
                image_repository=repository, configuration=store.to_json(configuration),
                configuration_hash=str(number), is_live=True, live_tag="main-0000000",
            )
        )  # fmt: skip
    TrackedImage.objects.bulk_create(images, batch_size=500)


def forget() -> None:
    """Empty the tables that a scenario filled (the audit trail keeps its rows, as always)."""
    from updater import models  # noqa: PLC0415

    names = [
        "Candidate", "TagDigest", "ImageTag", "TrackedImage", "ImageManifest", "ImageRepository", "Registry",
        "Application",
    ]  # fmt: skip
    for name in names:
        getattr(models, name).objects.all().delete()


class Scanner:
    """Runs cycles against the registries and measures this process."""

    def __init__(self, scenario: Scenario, urls: list[str], pipe: Pipe) -> None:
        from updater.configuration import registries as configuration  # noqa: PLC0415
        from updater.integrations.registry import Access, NetworkRules  # noqa: PLC0415

        self._scenario = scenario
        self._pipe = pipe
        hosts = frozenset(url.removeprefix("http://") for url in urls)
        self._access = Access(rules=NetworkRules(allow_insecure_hosts=hosts))
        self._registries = configuration.load(
            "registries:\n"
            + "".join(
                f"- name: r{number}\n  prefix: registry-{number}.example\n  api_url: {url}\n  limit: 1000\n"
                for number, url in enumerate(urls)
            )
        )

    def cycle(self, name: str) -> None:
        """Scan everything once and print the figures, if it has a name."""
        from updater import clock, scanning  # noqa: PLC0415
        from updater.audit import Actor  # noqa: PLC0415
        from updater.models import ImageRepository  # noqa: PLC0415

        ImageRepository.objects.update(next_scan_at=None)
        started, processor = time.perf_counter(), time.process_time()
        begun = clock.now()
        total = scanning.ScanSummary()
        while (
            ImageRepository.objects.filter(scanned_at__gte=begun).count()
            < self._scenario.repositories
        ):
            summary = scanning.scan_due(
                endpoints=self._registries,
                credentials_for=lambda *_: None,
                at=clock.now(),
                by=Actor("bench"),
                access=self._access,
            )
            assert not summary.errors, summary.errors[:3]  # noqa: S101
            total.take(summary)
        wall, processor = time.perf_counter() - started, time.process_time() - processor
        self._pipe.send("counts")
        counts = self._pipe.recv()
        assert counts == total.requests_by_kind, (counts, total.requests_by_kind)  # noqa: S101
        if name:
            self._print(name, counts, wall, processor, total.candidates)

    def _print(
        self, name: str, counts: dict[str, int], wall: float, processor: float, offers: int
    ) -> None:
        kinds = ", ".join(
            f"{kind} {count:,}" for kind, count in sorted(counts.items(), reverse=True)
        )
        total = sum(counts.values())
        print(
            f"  {name:<14} {total:>7,} requests ({kinds}); {offers:,} offers; wall {wall:6.2f} s, CPU"
            f" {processor:6.2f} s, peak {peak():4.0f} MiB, now {now():4.0f} MiB"
        )


def peak() -> float:
    """Return the largest size this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def now() -> float:
    """Return the size of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MEBIBYTE


def per_application(scenario: Scenario, tags: int) -> tuple[int, int]:
    """Return the requests of a first and a steady cycle that asks per Application and image.

    One ping, one token and one page for each image of each Application; on the first cycle twice (warm-up), and
    two for the metadata of every tag of every repository.
    """
    steady = scenario.tracked * (2 + 1)
    return 2 * steady + scenario.repositories * tags * 2, steady


def measure(scenario: Scenario, options: argparse.Namespace) -> None:
    """Run one scenario and print its figures."""
    print(f"\n{scenario}; {options.tags} tags each, {options.latency_ms} ms latency")
    with registries(scenario, options.tags, options.latency_ms / 1000) as (urls, pipe):
        follow(scenario)
        scanner = Scanner(scenario, urls, pipe)
        scanner.cycle("first")
        scanner.cycle("steady")
        pipe.send("push")
        pipe.recv()
        scanner.cycle("10 % pushed")
        for number in range(options.cycles):
            is_shown = number + 1 in (1, 10, options.cycles)
            scanner.cycle(f"steady {number + 1}" if is_shown else "")
        forget()
    first, steady = per_application(scenario, options.tags)
    print(f"  per Application and image: first {first:,} requests, steady {steady:,} requests")


def main() -> None:
    """Measure all scenarios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=20)
    parser.add_argument("--tags", type=int, default=20)
    parser.add_argument("--scenario", type=int, choices=[1, 2], help="one of them only")
    parser.add_argument("--cycles", type=int, default=0, help="more steady cycles, to watch memory")
    options = parser.parse_args()
    with database():
        print(f"before: {now():.0f} MiB")
        chosen = SCENARIOS[options.scenario - 1 :][:1] if options.scenario else SCENARIOS
        for scenario in chosen:
            measure(scenario, options)


if __name__ == "__main__":
    main()
