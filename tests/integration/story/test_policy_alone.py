"""The policy approves patch levels alone: written without a person; all else waits for one."""

from pathlib import Path
from typing import Any

import pytest

from approvals import verification
from approvals.models import Decision, Promotion
from tests.integration.story.outside import ANNOTATION, REPOSITORY, Outside
from updater.audit import AuditKind
from updater.connections import Connections
from updater.models import AuditEvent

RULE = "version: 1\nrules: [{name: staging, auto_approve: {bump: patch, strategies: [semver]}}]\n"


@pytest.fixture
def versions(outside: Outside, tmp_path: Path, settings: Any) -> Outside:
    """Let the example run backend 1.2.3, chosen by version, under a policy that approves patches."""
    file = tmp_path / "policy.yaml"
    file.write_text(RULE, encoding="utf-8")
    settings.POLICY_FILE = str(file)
    chosen = {"backend.update-strategy": "semver", "backend.allow-tags": "any"}
    outside.add_example(**{ANNOTATION + key: value for key, value in chosen.items()})
    outside.push("1.2.3")
    _report(outside)
    return outside


def _report(outside: Outside, health: str = "Healthy", tag: str = "1.2.3") -> None:
    revision = outside.git.log(REPOSITORY, "main")[0].sha
    outside.report("example", [tag], revision=revision, health=health)


def _offer(outside: Outside, tag: str) -> Promotion:
    outside.push(tag)
    outside.look()
    outside.propose()
    return Promotion.objects.get(to_tag=tag)


def test_execute_of_a_patch_is_written_without_a_person(versions):
    promotion = _offer(versions, "1.2.4")
    assert promotion.status == "APPROVED"

    versions.execute()

    promotion.refresh_from_db()
    commit = versions.git.log(REPOSITORY, "main")[0]
    assert promotion.status == "VERIFYING"
    assert commit.sha == promotion.commit
    assert "Approved-by: the policy alone: version rises by patch at most" in commit.message
    assert f"Seal: {promotion.seal}" in commit.message


def test_execute_of_a_minor_version_waits_for_a_person(versions):
    promotion = _offer(versions, "1.3.0")

    versions.execute()
    versions.propose()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert len(versions.git.log(REPOSITORY, "main")) == 1


def test_execute_after_the_application_fell_ill_goes_back_to_the_people_for_good(versions):
    promotion = _offer(versions, "1.2.4")
    _report(versions, "Degraded")
    versions.look()

    versions.execute()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert "its conditions do not hold any more: The Application is Degraded." in (
        promotion.status_reason
    )
    assert promotion.decisions.get().voided_at is not None
    assert AuditEvent.objects.filter(kind=AuditKind.APPROVAL_LAPSED).count() == 1
    assert len(versions.git.log(REPOSITORY, "main")) == 1

    _report(versions, "Healthy")
    versions.look()
    versions.propose()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"


def test_propose_under_a_policy_that_came_later_waits_for_a_person(versions, settings):
    file = Path(settings.POLICY_FILE)
    file.write_text("version: 1\n", encoding="utf-8")
    promotion = _offer(versions, "1.2.4")
    file.write_text(RULE, encoding="utf-8")

    versions.propose()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"


@pytest.mark.django_db(transaction=True)
def test_verify_after_a_patch_was_written_finds_nothing_whatever_the_policy_says_now(
    versions, settings
):
    _offer(versions, "1.2.4")
    versions.execute()
    Path(settings.POLICY_FILE).write_text("version: 1\n", encoding="utf-8")
    versions.propose()

    report = verification.verify(world=Connections())

    assert (list(report.findings), list(report.unchecked)) == ([], [])


@pytest.mark.django_db(transaction=True)
def test_verify_of_a_decision_that_no_stored_policy_gives_cannot_tell(versions):
    _offer(versions, "1.2.4")
    versions.execute()
    decision = Decision.objects.get()
    decision.identity["inputs"]["policy"] = "f" * 64
    decision.save(update_fields=["identity"])

    report = verification.verify(world=Connections())

    assert [item.invariant for item in report.unchecked] == ["I6"]
