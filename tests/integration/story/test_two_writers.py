"""Another machine that writes the same file is named before anybody approves, and stops it where the policy says so."""

import pytest

from approvals import policy
from approvals.models import Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import MACHINE, REPOSITORY
from updater import clock

UPDATER = "argocd-image-updater <noreply@argoproj.io>"
OVERRIDE = ".argocd-source-example.yaml"


def _commit(outside, author, path=OVERRIDE):
    outside.git.commit(REPOSITORY, "main", {path: b"helm: {}\n"}, "Change a file", author)


def _gate(promotion):
    fresh = Promotion.objects.with_target().get(pk=promotion.pk)
    return {gate.key: gate for gate in policy.gates(fresh, at=clock.now())}["two_writers"]


def test_offer_while_the_image_updater_commits_too_names_it(example, sre):
    example.look()
    _commit(example, UPDATER)

    promotion = example.offer()

    gate = _gate(promotion)
    assert (gate.is_open, gate.is_warning) == (True, True)
    assert gate.text.startswith("It is also written by Argo CD Image Updater (commit ")


@pytest.mark.parametrize(
    ("author", "path"),
    [("Ana <ana@example.com>", OVERRIDE), (UPDATER, "other.yaml")],
    ids=["a-person", "another-file"],
)
def test_offer_after_other_commits_names_nobody(example, sre, author, path):
    example.look()
    _commit(example, author, path)

    assert _gate(example.offer()).text == "Nobody else writes it."


def test_execute_where_the_policy_refuses_waits_until_the_other_has_stopped(
    example, sre, settings, tmp_path
):
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\nrules: [{name: all, two_writers: refuse}]\n", encoding="utf-8")
    settings.POLICY_FILE = str(file)
    example.look()
    policy.load(by=MACHINE, at=clock.now())
    _commit(example, UPDATER)
    promotion = approve(example.offer(), sre)
    before = example.git.log(REPOSITORY, "main")[0].sha

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert "also written by Argo CD Image Updater" in promotion.status_reason
    assert example.git.log(REPOSITORY, "main")[0].sha == before
