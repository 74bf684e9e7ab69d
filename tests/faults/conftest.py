"""The rig for a file of tests; the database of this process is the rig's meanwhile."""

from collections.abc import Iterator

import pytest

from tests.faults import reporting
from tests.faults import rig as rigs
from tests.faults.rig import Rig


@pytest.fixture(scope="module")
def rig(django_db_blocker, tmp_path_factory) -> Iterator[Rig]:
    with django_db_blocker.unblock(), rigs.running(tmp_path_factory.mktemp("rig")) as running:
        yield running
    reporting.write()
