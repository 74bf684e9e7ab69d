"""A policy file for a test: written, loaded as a worker loads it, and standing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from approvals import policy
from approvals.models import PolicyVersion
from tests import builders
from updater import clock
from updater.audit import Actor

WORKER = Actor(name="scan-worker-1")


@pytest.fixture
def policy_file(tmp_path: Path, settings: Any) -> Path:
    """Return the path that POLICY_FILE names; nothing is there yet."""
    settings.POLICY_FILE = str(tmp_path / "policy.yaml")
    return tmp_path / "policy.yaml"


@pytest.fixture
def stand(db: None, policy_file: Path) -> Callable[[str], PolicyVersion | None]:
    """Write the rules of a policy file and load it."""

    def write(text: str) -> PolicyVersion | None:
        policy_file.write_text(f"version: 1\n{text}", encoding="utf-8")
        return policy.load(by=WORKER, at=clock.now())

    return write


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Make somebody with groups."""

    def make(name: str, *groups: str, email: str = "") -> User:
        made = builders.make_person(name)
        made.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
        User.objects.filter(pk=made.pk).update(email=email)
        return User.objects.get(pk=made.pk)

    return make
