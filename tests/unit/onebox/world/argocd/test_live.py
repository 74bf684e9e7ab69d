"""Pods roll over as section 4 of argo-cd.md says, against a clock that stands still."""

from pathlib import Path

import pytest

from onebox.world.argocd.image_facts import ImageFact
from onebox.world.argocd.live import LiveWorld
from onebox.world.argocd.manifests import ObjectKey, deployment
from onebox.world.argocd.settings import Settings

SETTINGS = Settings(pod_start_seconds=1, rollout_seconds=10, progress_deadline_seconds=30)
WEB = ObjectKey("apps", "Deployment", "shop", "web")
APP = "argocd/web"


class _World:
    """A live world whose time moves when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.facts: dict[str, ImageFact] = {}
        self.folder = folder
        self.live = self.restarted()

    def restarted(self) -> LiveWorld:
        return LiveWorld(
            self.folder,
            SETTINGS,
            lambda image: self.facts.get(image, ImageFact.RUNS),
            lambda: self.now,
        )

    def deploy(self, image: str, replicas: int = 1) -> str:
        return self.live.apply(APP, WEB, deployment("web", image, replicas))

    def seen(self, after: float = 0) -> tuple[tuple[str, ...], str]:
        self.now += after
        pods = self.live.pods(APP)[WEB]
        return pods.images, pods.health


@pytest.fixture
def world(tmp_path: Path) -> _World:
    made = _World(tmp_path)
    made.deploy("web:1")
    made.seen(after=20)
    return made


def test_pods_of_a_change_are_old_then_both_then_new(world: _World) -> None:
    word = world.deploy("web:2")

    assert word == "configured"
    assert world.seen() == (("web:1",), "Progressing")
    assert world.seen(after=2) == (("web:1", "web:2"), "Progressing")
    assert world.seen(after=10) == (("web:2",), "Healthy")


@pytest.mark.parametrize("fact", [ImageFact.CRASHES, ImageFact.MISSING])
def test_pods_checklist_23_of_a_bad_image_degrade_at_the_deadline(
    world: _World, fact: ImageFact
) -> None:
    world.facts["web:bad"] = fact
    world.deploy("web:bad")

    assert world.seen(after=29) == (("web:1", "web:bad"), "Progressing")
    assert world.seen(after=2) == (("web:1", "web:bad"), "Degraded")
    assert "progress deadline" in world.live.pods(APP)[WEB].message


def test_pods_of_the_first_deployment_have_no_old_ones(tmp_path: Path) -> None:
    world = _World(tmp_path)

    assert world.deploy("web:1") == "created"
    assert world.seen() == ((), "Progressing")
    assert world.seen(after=2) == (("web:1",), "Progressing")


def test_pods_of_a_second_change_keep_only_what_was_ready(world: _World) -> None:
    world.facts["web:bad"] = ImageFact.CRASHES
    world.deploy("web:bad")
    world.seen(after=20)

    world.deploy("web:3")

    assert world.seen(after=2) == (("web:1", "web:3"), "Progressing")


def test_pods_scaled_to_zero_are_none_and_healthy(world: _World) -> None:
    world.deploy("web:2", replicas=0)

    assert world.seen() == ((), "Healthy")


def test_apply_of_the_same_manifest_changes_nothing(world: _World) -> None:
    assert world.deploy("web:1") == "unchanged"
    assert world.seen() == (("web:1",), "Healthy")


def test_apply_of_another_count_rolls_nothing_over(world: _World) -> None:
    world.deploy("web:1", replicas=3)

    assert world.seen() == (("web:1",), "Healthy")


def test_pods_survive_a_restart_in_the_middle_of_a_roll_out(world: _World) -> None:
    world.deploy("web:2")
    world.seen(after=2)

    world.live = world.restarted()

    assert world.seen() == (("web:1", "web:2"), "Progressing")
    assert world.seen(after=10) == (("web:2",), "Healthy")


def test_pods_say_when_to_look_again(world: _World) -> None:
    world.deploy("web:2")

    first = world.live.pods(APP)[WEB].next_at
    world.seen(after=2)
    second = world.live.pods(APP)[WEB].next_at

    assert (first, second) == (1021, 1030)


def test_remove_takes_the_pods_along(world: _World) -> None:
    world.live.remove(APP, WEB)

    assert world.live.pods(APP) == {}
    assert world.restarted().objects(APP) == {}
