"""Journeys under a policy file, from the form to the commit: two people, a moved tag, a freeze, a changed policy."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals import decisions
from approvals.models import Decision, Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY, Outside
from updater import clock
from updater.audit import AuditKind
from updater.models import AuditEvent

Say = Callable[[str], None]

ROLES = "roles: [{role: approver, groups: [sre, leads]}]\n"
TWO_PEOPLE = """
rules:
  - name: production
    match: {applications: [argocd/example]}
    approvals: [{name: an SRE, groups: [sre], count: 1}]
    mandatory_groups: [leads]
"""


@pytest.fixture
def policy_says(outside: Outside, tmp_path: Path, settings: Any) -> Say:
    """Write the policy file; the next sweep loads it."""
    file = tmp_path / "policy.yaml"
    settings.POLICY_FILE = str(file)

    def say(text: str) -> None:
        file.write_text(f"version: 1\n{ROLES}{text}\n", encoding="utf-8")

    return say


class Desk:
    """Somebody at the page of a promotion, with a browser that runs no JavaScript."""

    def __init__(self, person: User) -> None:
        self.person, self.page = person, ""
        self._client = Client()
        self._client.force_login(person)

    def open(self, promotion: Promotion) -> str:
        self.page = self._client.get(f"/promotions/{promotion.pk}/").content.decode()
        return self.page

    def approve(self, promotion: Promotion) -> tuple[int, str]:
        """Press the button of the page as it was opened."""
        seal = re.search(r'name="seal"\s+value="([0-9a-f]{64})"', self.page)
        assert seal is not None
        answer = self._client.post(
            f"/promotions/{promotion.pk}/approve/", {"seal": seal[1]}, follow=True
        )
        return answer.status_code, answer.content.decode()


def _commits(outside: Outside) -> int:
    return len(outside.git.log(REPOSITORY, "main"))


def _status(promotion: Promotion) -> str:
    promotion.refresh_from_db()
    return promotion.status


def _kinds(promotion: Promotion) -> list[str]:
    rows = AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def test_two_people_and_one_of_them_a_lead_approve_before_anything_is_written(
    example: Outside, policy_says, person
):
    policy_says(TWO_PEOPLE)
    mei, ben, priya = (person(*who) for who in (("mei", "sre"), ("ben", "sre"), ("priya", "leads")))
    promotion, before = example.offer(), _commits(example)

    # The first signature counts, and nothing runs yet.
    first = Desk(mei)
    assert "Needs 2 more" in first.open(promotion)
    status, page = first.approve(promotion)
    assert (status, _status(promotion)) == (200, "PENDING")
    assert "1 more needed" in page
    example.execute()
    assert _commits(example) == before

    # A second SRE would count for nothing, and the page says who would.
    page = Desk(ben).open(promotion)
    assert "what is missing must come from group leads" in page
    assert "priya" in page
    with pytest.raises(decisions.AlreadyDecidedError, match="group leads"):
        approve(promotion, ben)

    # The lead completes it, and one commit names both.
    last = Desk(priya)
    assert "Yours is the last approval needed" in last.open(promotion)
    assert last.approve(promotion)[0] == 200
    example.execute()
    commit = example.git.log(REPOSITORY, "main")[0]
    assert _status(promotion) == "VERIFYING"
    assert re.findall("^Approved-by: (.+)$", commit.message, re.MULTILINE) == ["mei", "priya"]
    kinds = _kinds(promotion)
    assert (kinds.count("approval.given"), kinds.count("promotion.approved")) == (1, 1)


def test_w18_tag_pushed_again_between_the_form_and_the_click_is_refused_with_both_digests(
    example: Outside, sre: User
):
    promotion, before = example.offer(), _commits(example)
    old, desk = promotion.to_digest, Desk(sre)
    desk.open(promotion)

    new = example.push("main-e1f492f", labels={"again": "yes"})
    example.look()
    status, page = desk.approve(promotion)

    assert status == 409
    assert new != old
    assert old.removeprefix("sha256:")[:8] in page
    assert new.removeprefix("sha256:")[:8] in page
    assert not Decision.objects.exists()
    example.execute()
    assert (_status(promotion), _commits(example)) == ("PENDING", before)

    # What is shown now can be approved, and is what is written for.
    desk.open(promotion)
    assert desk.approve(promotion)[0] == 200
    example.execute()
    assert (_status(promotion), promotion.to_digest) == ("VERIFYING", new)
    assert f"@{new}\n" in example.git.log(REPOSITORY, "main")[0].message


def test_tag_pushed_again_after_the_click_and_before_the_write_writes_nothing(
    example: Outside, sre: User
):
    promotion, before = approve(example.offer(), sre), _commits(example)

    example.push("main-e1f492f", labels={"again": "yes"})
    example.execute()

    assert _status(promotion) != "VERIFYING"
    assert _commits(example) == before
    example.look()
    example.propose()
    assert (_status(promotion), promotion.revision) == ("PENDING", 2)
    assert Decision.objects.get().voided_at is not None


def test_approval_given_in_a_freeze_is_carried_out_when_the_window_opens(
    example: Outside, policy_says, person, monkeypatch
):
    began = clock.now() - timedelta(minutes=30)
    policy_says(f"""
rules:
  - name: evening
    windows:
      deny:
        - {{name: deploy freeze, cron: "{began.minute} {began.hour} * * *", duration: 1h, zone: UTC}}
""")
    promotion, before = example.offer(), _commits(example)
    desk = Desk(person("mei", "sre"))

    # Approving in a freeze is possible, and what the page says is that it waits.
    assert "deploy freeze" in desk.open(promotion)
    assert desk.approve(promotion)[0] == 200
    example.execute()
    assert (_status(promotion), _commits(example)) == ("APPROVED", before)
    assert "deploy freeze" in desk.open(promotion)

    # Nobody presses anything: when the window has opened, the next sweep carries it out.
    _let_pass(monkeypatch, timedelta(minutes=31))
    example.execute()

    assert _status(promotion) == "VERIFYING"
    assert _commits(example) == before + 1
    assert _kinds(promotion).count(AuditKind.PROMOTION_APPROVED) == 1


def _let_pass(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    now = clock.now

    def later() -> datetime:
        return now() + time

    monkeypatch.setattr(clock, "now", later)


def test_policy_that_changes_while_promotions_wait_asks_again_and_approves_nothing(
    example: Outside, policy_says, person
):
    policy_says(TWO_PEOPLE)
    mei, priya = person("mei", "sre"), person("priya", "leads")
    promotion = example.offer()
    example.add_example("other")
    example.look()
    example.propose()
    other = Promotion.objects.get(application__name="other")
    approve(promotion, mei)
    unread, seal_of_other = Desk(priya), other.seal
    unread.open(promotion)

    # The rule becomes smaller: one SRE would be enough now, and one SRE has approved.
    policy_says(TWO_PEOPLE.replace("    mandatory_groups: [leads]\n", ""))
    example.propose()

    assert (_status(promotion), promotion.revision) == ("PENDING", 2)
    assert "olicy" in promotion.status_reason
    assert Decision.objects.get().voided_at is not None
    example.execute()
    assert _commits(example) == 1
    # What was on the lead's screen is not what stands now.
    status, page = unread.approve(promotion)
    assert status == 409
    assert "Policy" in page
    # An Application that the rule does not speak of keeps its seal.
    other.refresh_from_db()
    assert (other.seal, other.revision) == (seal_of_other, 1)
    # Asked again under the new rule, one approval is enough.
    desk = Desk(mei)
    assert "Yours is the last approval needed" in desk.open(promotion)
    assert desk.approve(promotion)[0] == 200
    assert _status(promotion) == "APPROVED"


def test_policy_that_demands_more_after_the_approval_stops_what_is_not_written(
    example: Outside, policy_says, person
):
    policy_says("rules: []")
    mei, before = person("mei", "sre"), _commits(example)
    promotion = approve(example.offer(), mei)

    policy_says(TWO_PEOPLE)
    example.propose()
    example.execute()

    assert (_status(promotion), promotion.revision) == ("PENDING", 2)
    assert _commits(example) == before
    assert AuditKind.PROMOTION_RESEALED in _kinds(promotion)
