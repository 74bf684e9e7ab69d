"""A running API server: one per test file, as every test has a namespace of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from onebox.world.cluster import ClusterServer, administrator
from tests.integration.kubernetes.builders import World
from updater.integrations.kubernetes import connect
from updater.integrations.kubernetes.client import ClusterClient

ROOT = administrator("root", "root-token")


@pytest.fixture(scope="module")
def server() -> Iterator[ClusterServer]:
    with ClusterServer([ROOT], bookmark_seconds=0.2) as running:
        yield running


@pytest.fixture
def world(server: ClusterServer, tmp_path: Path) -> Iterator[World]:
    made = World(server, ROOT, tmp_path)
    yield made
    server.faults.clear()
    made.http.close()


@pytest.fixture
def cluster(world: World) -> ClusterClient:
    return connect(world.kubeconfig, connect_seconds=1, read_seconds=1)
