"""What was offered, taken off the table, and is offered again when its circumstances changed back."""

from datetime import timedelta

import pytest
from django.db.models import F

from approvals.models import Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import ANNOTATION, REPOSITORY, Outside
from updater.models import Candidate

OVERRIDE = ".argocd-source-example.yaml"


def _allow(outside: Outside, expression: str) -> None:
    annotations = {f"{ANNOTATION}backend.allow-tags": expression}
    outside.patch("example", {"metadata": {"annotations": annotations}})


def _later() -> None:
    """Let two minutes pass for everything that ended."""
    earlier = {"ended_at": F("ended_at") - timedelta(minutes=2)}
    Promotion.objects.exclude(ended_at=None).update(**earlier)


def _statuses() -> list[str]:
    return list(Promotion.objects.order_by("created_at").values_list("status", flat=True))


def test_propose_after_a_configuration_was_reverted_opens_it_anew(example):
    example.offer()
    _allow(example, "regexp:^release")
    example.look()
    example.propose()
    assert _statuses() == ["WITHDRAWN"]

    _allow(example, "regexp:^main")
    _later()
    example.look()
    example.propose()

    first, second = Promotion.objects.order_by("created_at")
    assert (first.status, second.status) == ("WITHDRAWN", "PENDING")
    assert (second.to_tag, second.revision) == (first.to_tag, 1)


def test_propose_after_expiry_opens_it_anew_once(example):
    promotion = example.offer()
    Promotion.objects.update(expires_at=promotion.created_at)
    example.propose()
    assert _statuses() == ["EXPIRED"]

    example.propose()
    assert _statuses() == ["EXPIRED"]

    _later()
    example.look()
    for _ in range(3):
        example.propose()

    assert _statuses() == ["EXPIRED", "PENDING"]


@pytest.mark.parametrize("reported", ["main-aaaaaaa", "main-e1f492f"], ids=["not yet", "runs"])
def test_propose_of_what_stands_in_git_already_opens_nothing(reported, example, sre):
    approve(example.offer(), sre)
    example.execute()
    example.report("example", [reported], revision=example.git.log(REPOSITORY, "main")[0].sha)
    Promotion.objects.update(status="SUCCEEDED", ended_at=F("created_at"))
    _later()

    example.look()
    example.propose()

    assert _statuses() == ["SUCCEEDED"]


def test_propose_after_somebody_reverted_the_release_opens_it_anew(example, sre):
    approve(example.offer(), sre)
    example.execute()
    Promotion.objects.update(status="SUCCEEDED", ended_at=F("created_at"))
    _later()
    example.git.commit(REPOSITORY, "main", {OVERRIDE: None}, "Revert the release")
    example.report("example", ["main-aaaaaaa"], revision=example.git.log(REPOSITORY, "main")[0].sha)

    example.look()
    example.propose()

    assert _statuses() == ["SUCCEEDED", "PENDING"]
    assert Candidate.objects.get(is_current=True).problem == ""
