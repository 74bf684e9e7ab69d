"""People, builds, strangers and faults by a seed: a fixed and a fresh one in every test run, many by `make faults`.

A red seed says how to play it again, and keeps its history.
"""

import random
import shutil
import sys
from pathlib import Path

import pytest

from onebox.environment import ROOT
from tests.faults import playing, results, schedule
from tests.faults.playing import Stage
from tests.faults.schedule import FAULTS, Size

FIXED = 20261127
SHORT = Size(seconds=5.0, faults=5)
LONG = Size(seconds=12.0, repositories=3, applications=9, faults=len(FAULTS))
# Red once: a worker lived on that was killed before it led its group, or a stranger's overwrite outlasted the quiet.
RED_LONG, RED_SHORT = (842, 346307, 393218), 678030
KEPT = ROOT / ".countersign" / "faults"


def holds(stage: Stage, seed: int, size: Size, folder: Path) -> None:
    sys.stdout.write(f"\nseed {seed}\n")
    verdict = playing.play(stage, schedule.generate(seed, size), folder)
    results.keep_verdict(verdict)
    if verdict.violations:
        KEPT.mkdir(parents=True, exist_ok=True)
        kept = shutil.copy(verdict.history, KEPT)
        found = "\n".join(verdict.violations)
        pytest.fail(
            f"{found}\nHistory: {kept}\nAgain: make fault ARGS='-k one_seed --seed {seed}'",
            pytrace=False,
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if (
        "place" in metafunc.fixturenames
    ):  # not the seed: all processes of a run name their tests alike
        metafunc.parametrize("place", range(metafunc.config.getoption("--seeds")))


def _fresh() -> int:
    return random.SystemRandom().randrange(10**6)


def test_schedule_of_the_fixed_seed_keeps_every_promise(stage, tmp_path):
    holds(stage, FIXED, SHORT, tmp_path)


def test_schedule_of_a_fresh_seed_keeps_every_promise(stage, tmp_path):
    holds(stage, _fresh(), SHORT, tmp_path)


@pytest.mark.slow
def test_schedule_of_many_seeds_keeps_every_promise(stage, tmp_path, place):
    holds(stage, _fresh(), LONG, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", RED_LONG)
def test_schedule_of_a_seed_that_was_red_keeps_every_promise(stage, tmp_path, seed):
    holds(stage, seed, LONG, tmp_path)


@pytest.mark.slow
def test_schedule_of_a_short_seed_that_was_red_keeps_every_promise(stage, tmp_path):
    holds(stage, RED_SHORT, SHORT, tmp_path)


@pytest.mark.slow
def test_schedule_of_one_seed_keeps_every_promise(stage, tmp_path, request):
    if (seed := request.config.getoption("--seed")) is None:
        pytest.skip("no seed was named")
    holds(stage, seed, LONG, tmp_path)


def test_generate_for_one_seed_is_always_the_same():
    assert schedule.generate(7, LONG) == schedule.generate(7, LONG)
    assert schedule.generate(7, LONG) != schedule.generate(8, LONG)


def test_generate_with_as_many_faults_as_kinds_has_each_once():
    steps = schedule.generate(7, LONG).of(schedule.NEMESIS)

    assert sorted(step.do for step in steps) == sorted(FAULTS)
