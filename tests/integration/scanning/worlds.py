"""A registry on loopback and the rows that follow it, for tests of scanning."""

from dataclasses import replace
from datetime import timedelta

from onebox.world.registry import RegistryServer, RegistryWorld
from tests import builders
from updater import clock, scanning
from updater.audit import Actor
from updater.configuration import registries, store
from updater.configuration.model import ImageConfiguration
from updater.images import ImageReference
from updater.integrations.registry import Access, Limits, NetworkRules
from updater.models import Candidate, ImageRepository, Registry, TrackedImage
from updater.selection import Strategy

SCANNER = Actor(name="countersign", via="worker")
_IDLE = []  # servers that run already: starting and stopping one takes longer than a test


class World:
    """One registry, known as `name` in image references."""

    def __init__(self, name="registry.example", *, world=None, limit=10_000, extra=""):
        self.name = name
        self.server = _IDLE.pop() if _IDLE else RegistryServer(RegistryWorld()).start()
        self.server.world = world or RegistryWorld()
        self.limit = limit
        self.extra = extra

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _IDLE.append(self.server)

    @property
    def world(self):
        return self.server.world

    @property
    def counts(self):
        """Requests by kind since the last look."""
        counts = dict(self.world.counts)
        self.world.log.clear()
        return counts

    @property
    def entry(self):
        """Its lines in registries.conf."""
        return (
            f"- name: {self.name}\n  prefix: {self.name}\n  api_url: {self.server.url}\n  limit: {self.limit}\n"
            f"{self.extra}"
        )

    def repository(self, name="acme/app"):
        registry = Registry.objects.get_or_create(host=self.name)[0]
        return ImageRepository.objects.get_or_create(registry=registry, name=name)[0]

    def track(
        self, *, repository="acme/app", application=None, alias="app", live="main-0", **settings
    ):
        """Follow a repository the way an Application does; `settings` are those of ImageConfiguration."""
        configuration = ImageConfiguration(
            **{
                "alias": alias,
                "reference": ImageReference(self.name, repository),
                "strategy": Strategy.NEWEST_BUILD,
                "allow_tags": "regexp:^main-",
                "live": (f"{self.name}/{repository}:{live}",) if live else (),
            }
            | settings
        )
        return builders.make_tracked_image(
            application,
            alias,
            image_repository=self.repository(repository),
            configuration=store.to_json(configuration),
            configuration_hash=repr(configuration),
            is_live=bool(live),
            live_tag=live or "",
            live_digest="",
            choice={},
        )


def reconfigure(image, **changes):
    """Change an image's configuration, as the inventory would."""
    configuration = replace(store.from_json(image.configuration), **changes)
    TrackedImage.objects.filter(pk=image.pk).update(
        configuration=store.to_json(configuration), configuration_hash=repr(configuration)
    )


def run(image, *live):
    """Let other tags run."""
    document = {**image.configuration, "live": list(live)}
    TrackedImage.objects.filter(pk=image.pk).update(configuration=document)


def access(*worlds, **limits):
    hosts = frozenset(world.server.host for world in worlds)
    return Access(
        rules=NetworkRules(allow_insecure_hosts=hosts),
        limits=Limits(**{"deadline_seconds": 20} | limits),
    )


def scan(*worlds, later=0, credentials=None, shared=None, tuning=None):
    """Scan what is due `later` seconds from now (at once for repositories never scanned)."""
    text = "registries:\n" + "".join(world.entry for world in worlds)
    return scanning.scan_due(
        endpoints=registries.load(text),
        credentials_for=credentials or (lambda *_: None),
        at=clock.now() + timedelta(seconds=later),
        by=SCANNER,
        access=shared or access(*worlds),
        tuning=tuning or scanning.Tuning(),
    )


def offer(image):
    """The tag on offer for an image, or None."""
    found = Candidate.objects.filter(tracked_image=image, is_current=True).first()
    return found.tag if found else None


def choice(image):
    return TrackedImage.objects.get(pk=image.pk).choice
