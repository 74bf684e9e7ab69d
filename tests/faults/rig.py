"""The rig: the product's real servers and workers against the demo's world, made once, used for many runs.

PostgreSQL, Valkey and the workers are processes of their own. The Git host, registry and cluster serve from threads of
this process, so the groups that faults kill never hold them. This process plays the web server, beat, the scan worker
and Argo CD, one step at a time (`turn`); only executions and outcomes run in the workers.
"""

import base64
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dj_database_url
from celery import Celery
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections

from approvals import decisions, doorbell, promotions
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Role
from onebox.environment import ROOT
from onebox.postgres import Postgres
from onebox.valkey import Valkey
from onebox.world.cluster import ClusterServer, administrator
from onebox.world.cluster import kubeconfig as kubeconfigs
from onebox.world.git_host import GitHost
from onebox.world.registry import Account, Basic, RegistryServer, RegistryWorld
from tests import builders
from tests.faults import canaries
from tests.faults.applications import Addresses, Story
from tests.faults.proxies import Proxies
from tests.faults.workers import Nursery, Process
from tests.integration.story.outside import MACHINE, NAMESPACE, Outside
from updater import clock, inventory, scanning
from updater.audit import Actor
from updater.connections import Connections, registry_access
from updater.inventory import Reading
from updater.models import Breaker, ImageRepository

LEASE_SECONDS = 2
OVER = [*Status.over()]


@dataclass
class Rig:
    """Everything that runs, and the verbs of a test."""

    folder: Path
    outside: Outside
    postgres: Postgres
    valkey: Valkey
    nursery: Nursery
    celery: Celery
    addresses: Addresses
    proxies: Proxies | None = None
    stories: list[Story] = field(default_factory=list)

    # What a test does

    def story(self, *, method: str = "git", repository: str = "") -> Story:
        """Make an Application with a repository and an image of its own, running an old build."""
        made = Story.make(
            self.outside,
            self.addresses,
            len(self.stories),
            method=method,
            repository=repository,
        )
        self.stories.append(made)
        return made

    def offer(self, story: Story, tag: str = "main-e1f492f") -> Promotion:
        """Push a build and return the pending promotion that it becomes."""
        self.outside.push(tag, story.image)
        self.look(story)
        promotions.sweep(world=Connections(), by=MACHINE)
        return Promotion.objects.get(to_tag=tag, application__name=story.name, status="PENDING")

    def approve(self, promotion: Promotion, person: str = "mei") -> Promotion:
        """Approve as a page does, in this process."""
        user = User.objects.get(username=person)
        by = Actor(name=person, kind="person", via="page", user_id=user.pk)
        return decisions.approve(
            promotion_id=promotion.pk, seal=promotion.seal, reason="", person=user, by=by
        )

    def approve_elsewhere(self, promotion: Promotion, **faults: str) -> Process:
        """Approve in a process of its own, which may die on the way."""
        told = {"promotion": str(promotion.pk), "seal": promotion.seal, "person": "mei"}
        return self.nursery.start("approve", faults, **told)

    def worker(self, *, wait: bool = True, **own: Any) -> Process:
        """Start a worker of the queue `execute`; `own` are settings of this one alone."""
        process = self.nursery.start("worker", own)
        if wait:
            process.wait_until_ready()
        return process

    def open_git(self, url: str) -> None:
        """Let the product's credentials of the Git host hold for another address of it, too."""
        _create_git_secret(self.outside, url, f"git-credentials-{url.rpartition(chr(58))[2]}")

    # What beat, the scan worker and Argo CD do

    def ring(self) -> None:
        """Ring for executions and outcomes, as beat does."""
        for name in ("approvals.execute_promotions", "approvals.observe_outcomes"):
            self.celery.send_task(name, queue="execute", expires=5)

    def look(self, *stories: Story) -> None:
        """Read the cluster, and scan the images of these Applications."""
        world = Connections()
        how = Reading("in-cluster", NAMESPACE, [], {}, allow_http=True)
        listing = world.cluster.list_applications()
        inventory.reconcile(listing, how=how, by=MACHINE, at=clock.now())
        names = [f"acme/{story.image}" for story in stories]
        ImageRepository.objects.filter(name__in=names).update(next_scan_at=None)
        scanning.scan_due(
            endpoints=world.registries,
            credentials_for=world.registry_credentials,
            at=clock.now(),
            by=MACHINE,
            tuning=scanning.Tuning(interval_seconds=3600, guard_seconds=0),
        )

    def turn(self, *stories: Story) -> None:
        """Let Argo CD roll out what stands in Git, let time pass for whoever waits, and ring."""
        self.pass_time(*stories)
        self.ring()

    def pass_time(self, *stories: Story) -> None:
        """Let Argo CD roll out what stands in Git, and nobody wait for a next attempt or probe any longer."""
        rolled_out = [story.roll_out(self.outside) for story in stories]
        if any(rolled_out):
            self.look()
        mine = Promotion.objects.filter(application__name__in=[story.name for story in stories])
        at = clock.now()
        mine.filter(next_attempt_at__gt=at).update(next_attempt_at=at)
        Breaker.objects.filter(retry_at__gt=at).update(retry_at=at)

    def settle(self, *stories: Story, seconds: float = 40) -> None:
        """Turn until every promotion of these Applications is over."""
        names = [story.name for story in stories]
        until = time.monotonic() + seconds
        while left := list(self.unfinished(names)):
            if time.monotonic() > until:
                told = [(str(row), row.status, row.status_reason) for row in left]
                raise AssertionError(f"not over after {seconds} s: {told}")
            self.turn(*stories)
            time.sleep(0.1)

    def unfinished(self, names: list[str]) -> Any:
        """Return the promotions of these Applications that the machine still has to move."""
        rows = Promotion.objects.filter(application__name__in=names).exclude(status__in=OVER)
        waits_for_a_person = rows.filter(status="ERRORED", next_attempt_at=None)
        return rows.exclude(status="PENDING").exclude(pk__in=waits_for_a_person)


@contextmanager
def running(folder: Path, *, proxied: bool = False, **own: str) -> Iterator[Rig]:
    """Start everything, point this process at it, and end it; Django must be set up.

    `proxied`: the product finds the world behind proxies that may fail. `own`: settings of the workers and beat.
    """
    postgres, valkey = Postgres(folder / "postgres"), Valkey(folder / "valkey")
    postgres.start()
    valkey.start()
    root = administrator("root", canaries.CLUSTER)
    git = GitHost(folder / "git", {"bot": canaries.GIT}).start()
    registry = RegistryWorld(access=Basic(Account("reader", canaries.REGISTRY)))
    with RegistryServer(registry) as images, ClusterServer([root]) as cluster:
        proxies = Proxies.start(postgres, valkey, git, images, cluster) if proxied else None
        addresses = proxies.addresses if proxies else Addresses(git.url, images.host)
        kubeconfig = kubeconfigs.write(
            folder / "kubeconfig", url=proxies.cluster if proxies else cluster.url, account=root
        )
        env = {
            "DATABASE_URL": postgres.url,
            "DATABASE_OWNER_URL": postgres.owner_url,
            "REDIS_URL": valkey.url,
            "SECRET_KEY": canaries.KEY,
            "PROMOTION_KEY": canaries.PROMOTION,
            "KUBECONFIG": str(kubeconfig),
            "STATE_DIR": str(folder / "worker"),
            "ALLOW_INSECURE_GIT": "true",
            "ALLOW_INSECURE_REGISTRIES": addresses.registry,
            "LEASE_SECONDS": str(LEASE_SECONDS),
            **own,
        }
        nursery = Nursery(folder, _environment(env))
        outside = Outside(git, images, cluster, token=canaries.CLUSTER)
        celery = Celery("rig", broker=valkey.url)
        rig = Rig(folder, outside, postgres, valkey, nursery, celery, addresses, proxies)
        try:
            _create_secrets(outside, addresses)
            nursery.wait_until_ready()
            with _pointed_at(rig, env):
                builders.make_person("mei", role=Role.APPROVER, full_name="Mei Tanaka")
                for name in ("sam", "ida", "ada"):
                    builders.make_person(name, role=Role.APPROVER)
                yield rig
        finally:
            nursery.stop()
            outside.http.close()
            if proxies:
                proxies.close()
            celery.close()
            git.stop()
            valkey.stop()
            postgres.stop()


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    fixed = {
        "DJANGO_SETTINGS_MODULE": "updater.settings",
        "PYTHONPATH": str(ROOT),
        "INSECURE_HTTP": "true",
        "ALLOWED_HOSTS": "localhost",
        "FAULTS_ARE_WANTED": "true",
    }
    return {**kept, **fixed, **own}


def _create_secrets(outside: Outside, addresses: Addresses) -> None:
    login = base64.b64encode(f"reader:{canaries.REGISTRY}".encode()).decode()
    auths = json.dumps({"auths": {addresses.registry: {"auth": login}}})
    outside.create_secret("registry-secret", {".dockerconfigjson": auths})
    _create_git_secret(outside, addresses.git, "git-credentials")


def _create_git_secret(outside: Outside, url: str, name: str) -> None:
    fields = {"type": "git", "url": url, "username": "bot", "password": canaries.GIT}
    outside.create_secret(name, fields, kind="repo-creds")


@contextmanager
def _pointed_at(rig: Rig, env: Mapping[str, str]) -> Iterator[None]:
    """Let Django in this process use the rig's servers, as its web process and its beat would."""
    own = {
        "KUBECONFIG": env["KUBECONFIG"],
        "STATE_DIR": rig.folder / "here",
        "ALLOW_INSECURE_GIT": True,
        "ALLOW_INSECURE_REGISTRIES": [rig.addresses.registry],
        "PROMOTION_KEY": canaries.PROMOTION,
        "LEASE_SECONDS": int(env["LEASE_SECONDS"]),
    }
    before = {name: getattr(settings, name) for name in own}
    database = connections["default"].settings_dict
    kept, app = dict(database), doorbell.app
    connections["default"].close()
    database.update(dj_database_url.parse(rig.postgres.url))
    doorbell.app = rig.celery
    for name, value in own.items():
        setattr(settings, name, value)
    registry_access.access.cache_clear()
    try:
        yield
    finally:
        connections["default"].close()
        database.clear()
        database.update(kept)
        doorbell.app = app
        for name, value in before.items():
            setattr(settings, name, value)
        registry_access.access.cache_clear()
