"""What a newer offer does to an approved promotion that still waits: the policy says."""

from pathlib import Path

import pytest

from tests.integration.story.conftest import approve

MODES = {"keep-approved": "APPROVED", "newest": "SUPERSEDED"}


@pytest.mark.parametrize(("mode", "status"), MODES.items(), ids=MODES)
def test_newer_offer_does_to_an_approved_one_as_the_policy_says(
    mode, status, example, sre, tmp_path: Path, settings
):
    file = tmp_path / "policy.yaml"
    file.write_text(f"version: 1\nrules: [{{name: a, supersede: {mode}}}]\n", encoding="utf-8")
    settings.POLICY_FILE = str(file)
    approved = approve(example.offer("main-e1f492f"), sre)

    newer = example.offer("main-77ab0c3")

    approved.refresh_from_db()
    assert (approved.status, newer.status) == (status, "PENDING")
    assert approved.superseded_by == (newer if mode == "newest" else None)


def test_auto_approved_patch_under_newest_gives_way_to_a_newer_offer(
    example, tmp_path: Path, settings
):
    file = tmp_path / "policy.yaml"
    rule = "{name: a, supersede: newest, auto_approve: {tags: ['main-e*']}}"
    file.write_text(f"version: 1\nrules: [{rule}]\n", encoding="utf-8")
    settings.POLICY_FILE = str(file)
    example.push("main-e1f492f")
    example.look()
    example.propose()

    newer = example.offer("main-77ab0c3")

    older = newer.supersedes.get()
    assert (older.to_tag, older.status) == ("main-e1f492f", "SUPERSEDED")
    assert older.decisions.get().is_automatic
