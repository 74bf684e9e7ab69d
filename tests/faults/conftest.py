"""The rig for a file of tests; the database of this process is the rig's meanwhile."""

from collections.abc import Iterator

import pytest

from tests.faults import playing
from tests.faults import rig as rigs
from tests.faults.playing import Stage
from tests.faults.rig import Rig


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--seed", type=int, help="play the schedule of this seed")
    group.addoption("--seeds", type=int, default=12, help="how many schedules make faults plays")
    group.addoption("--step", type=int, default=1, help="let only every n-th question go wrong")
    group.addoption("--promotions", type=int, default=10_000, help="of a soak")
    group.addoption("--kills", type=int, help="of a soak; one for ten promotions otherwise")
    group.addoption("--minutes", type=float, default=120, help="after which a soak ends anyway")


@pytest.fixture(scope="module")
def rig(django_db_blocker, tmp_path_factory) -> Iterator[Rig]:
    with django_db_blocker.unblock(), rigs.running(tmp_path_factory.mktemp("rig")) as running:
        yield running


# Sweeps and scans follow at once. The lease outlasts a step of a live worker on a busy machine.
# What a stranger overwrote before any pod ran it fails at its deadline: within what is waited for in the quiet.
QUICK = {
    "LEASE_SECONDS": "3",
    "SWEEP_SECONDS": "1",
    "INVENTORY_SECONDS": "3",
    "SCAN_SECONDS": "1",
    "OUTCOME_DEADLINE_SECONDS": "90",
}


@pytest.fixture(scope="module")
def stage(django_db_blocker, tmp_path_factory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("rig")
    with (
        django_db_blocker.unblock(),
        rigs.running(folder, **QUICK) as running,
        playing.stage(running) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def proxied_rig(django_db_blocker, tmp_path_factory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("rig")
    with django_db_blocker.unblock(), rigs.running(folder, proxied=True) as running:
        yield running
