"""`make soak`: 10,000 promotions with 1,000 kills, or as many as are asked for, then every check and the figures."""

import shutil

import pytest

from onebox.environment import ROOT
from tests.faults import playing, reporting
from tests.faults import rig as rigs
from tests.faults.conftest import QUICK
from tests.faults.soaking import Soak


@pytest.fixture(scope="module")
def stage(django_db_blocker, tmp_path_factory):
    # A hundred Applications keep the workers busy: a live one must not be taken for dead, and a pass over all
    # images must end before the next is due, or the workers of scans do nothing else.
    settings = {**QUICK, "LEASE_SECONDS": "20", "SCAN_SECONDS": "4"}
    folder = tmp_path_factory.mktemp("rig")
    with (
        django_db_blocker.unblock(),
        rigs.running(folder, **settings) as running,
        playing.stage(running) as made,
    ):
        yield made


def test_soak_loses_doubles_and_forges_nothing(stage, tmp_path, request):
    promotions = request.config.getoption("--promotions")
    kills = request.config.getoption("--kills")
    soak = Soak(
        stage,
        tmp_path,
        promotions=promotions,
        kills=promotions // 10 if kills is None else kills,
        minutes=request.config.getoption("--minutes"),
    )

    soak.run()

    reporting.replace(reporting.DOCUMENT, "soak", soak.figures(), by="make soak")
    if soak.violations:
        folder = ROOT / ".countersign" / "faults"
        folder.mkdir(parents=True, exist_ok=True)
        kept = shutil.copy(soak.history.path, folder)
        pytest.fail("\n".join([*soak.violations, f"History: {kept}"]), pytrace=False)
