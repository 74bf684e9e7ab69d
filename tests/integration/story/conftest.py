"""The outside world as a fixture, and settings that point the product at it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from approvals import decisions, doorbell
from approvals.models import Promotion
from tests import builders, roles
from tests.integration.git.scene import plain_git
from tests.integration.story import outside as world
from tests.integration.story.outside import Outside
from updater.audit import Actor
from updater.connections import registry_access


@pytest.fixture
def outside(tmp_path: Path, settings, monkeypatch, transactional_db: None) -> Iterator[Outside]:
    with world.outside(tmp_path) as running:
        account = world.ROOT
        kubeconfig = running.cluster.write_kubeconfig(tmp_path / "kubeconfig", account)
        settings.KUBECONFIG = str(kubeconfig)
        settings.STATE_DIR = tmp_path / "state"
        settings.ALLOW_INSECURE_GIT = True
        settings.ALLOW_INSECURE_REGISTRIES = [running.registry.host]
        monkeypatch.setattr(doorbell, "ring_execution", lambda: None)
        monkeypatch.setattr(doorbell, "ring_proposals", lambda: None)
        registry_access.access.cache_clear()
        with roles.as_runtime():  # the product's work needs no more than its own role may
            yield running
        registry_access.access.cache_clear()
        _tell_commits(running)


def _tell_commits(running: Outside) -> None:
    """Print what stands in Git, as `git log -p` does: pytest shows it where the test failed."""
    for name in running.git.repositories.names():
        path = running.git.repositories.path(name)
        told = plain_git(path, "log", "-p", "--all", "--max-count=20")
        sys.stdout.write(f"--- {name}\n{told}\n")


@pytest.fixture
def example(outside: Outside) -> Outside:
    outside.add_example()
    return outside


def approve(promotion: Promotion, person: User) -> Promotion:
    by = Actor(name=person.username, kind="person", via="page", user_id=person.pk)
    return decisions.approve(
        promotion_id=promotion.pk, seal=promotion.seal, reason="", person=person, by=by
    )


@pytest.fixture
def second_approver(db: None) -> User:
    """Somebody else who may approve."""
    return builders.make_person("ben", role="approver")
