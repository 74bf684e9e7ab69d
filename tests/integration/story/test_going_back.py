"""The way back and the tag of one's own choice, from the wish to the commit, and what is offered afterwards."""

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from approvals import decisions
from approvals.models import Promotion, Request
from approvals.permissions import Role
from tests import builders
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY, Outside
from updater.audit import Actor, AuditKind
from updater.integrations.git import GitMirror
from updater.integrations.registry import RegistryUnavailableError
from updater.models import AuditEvent, Candidate, Refusal, TrackedImage

OVERRIDE = ".argocd-source-example.yaml"
GOOD, BAD, NEWER = "main-1111111", "main-2222222", "main-3333333"
REASON = "the checkout times out"


@pytest.fixture
def night_shift(db: None) -> User:
    """Somebody else who may approve."""
    return builders.make_person("ines", role=Role.APPROVER)


def _by(person: User) -> Actor:
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _written_tag(outside: Outside) -> str:
    document = yaml.safe_load(outside.git.read(REPOSITORY, "main", OVERRIDE))
    values = {item["name"]: item["value"] for item in document["helm"]["parameters"]}
    return values["backend.tag"]


def _run(outside: Outside, promotion: Promotion) -> Promotion:
    """Carry out an approved promotion until Argo CD reports it healthy."""
    outside.execute()
    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING", promotion.status_reason
    outside.report("example", [promotion.to_tag], revision=promotion.commit)
    outside.look()
    outside.observe()
    promotion.refresh_from_db()
    assert promotion.status == "SUCCEEDED", promotion.status_reason
    return promotion


def _release(outside: Outside, tag: str, day: int, person: User) -> Promotion:
    offered = outside.offer(tag, created=f"2026-11-{day}T10:00:00Z")
    return _run(outside, approve(offered, person))


def _ask_back(release: Promotion, person: User, **changes: Any) -> Request:
    values = {"promotion_id": release.pk, "reason": REASON, "person": person, "by": _by(person)}
    return decisions.roll_back(**{**values, **changes})


def _opened(outside: Outside, request: Request) -> Promotion:
    outside.propose()
    request.refresh_from_db()
    assert request.status == "OPENED", request.problem
    return Promotion.objects.get(pk=request.pk)


def _later() -> None:
    """Let two minutes pass for everything that ended."""
    earlier = {"ended_at": F("ended_at") - timedelta(minutes=2)}
    Promotion.objects.exclude(ended_at=None).update(**earlier)


def _offered(outside: Outside) -> list[str]:
    _later()
    outside.look()
    outside.propose()
    return list(Promotion.objects.filter(status="PENDING").values_list("to_tag", flat=True))


@pytest.fixture
def released(example: Outside, sre: User) -> tuple[Promotion, Promotion]:
    """Two releases that both succeeded; the second one runs."""
    good = _release(example, GOOD, 21, sre)
    return good, _release(example, BAD, 22, sre)


def test_roll_back_writes_the_old_tag_and_is_not_offered_again_but_a_newer_build_is(
    example, sre, night_shift, released
):
    good, bad = released

    promotion = _opened(example, _ask_back(good, sre))

    assert (promotion.kind, promotion.returns_to) == ("rollback", good)
    assert (promotion.from_tag, promotion.to_tag) == (BAD, GOOD)
    assert promotion.to_digest == good.to_digest
    assert (promotion.requested_by, promotion.request_reason) == (sre.username, REASON)
    with pytest.raises(decisions.OwnChangeError):
        approve(promotion, sre)

    _run(example, approve(promotion, night_shift))

    assert _written_tag(example) == GOOD
    assert f"Promotion-Id: {promotion.pk}" in example.git.log(REPOSITORY, "main")[0].message
    refusal = Refusal.objects.get(lifted_at=None)
    assert (refusal.digest, refusal.tag, refusal.by) == (bad.to_digest, BAD, sre.username)
    assert _offered(example) == []
    assert not Candidate.objects.filter(is_current=True).exists()

    example.push(NEWER, created="2026-11-23T10:00:00Z")

    assert _offered(example) == [NEWER]


def test_roll_back_offers_no_build_between_either(example, sre, night_shift, released):
    good, _ = released
    example.push("main-1515151", created="2026-11-21T15:00:00Z")
    _run(example, approve(_opened(example, _ask_back(good, sre)), night_shift))

    assert _offered(example) == []


def test_refusal_of_what_was_left_stands_before_anything_is_pushed(
    example, sre, night_shift, released, monkeypatch
):
    good, bad = released
    promotion = approve(_opened(example, _ask_back(good, sre)), night_shift)
    assert not Refusal.objects.exists()
    seen = []
    push = GitMirror.push

    def watched(mirror, *args, **kwargs):
        seen.append(list(Refusal.objects.values_list("digest", flat=True)))
        return push(mirror, *args, **kwargs)

    monkeypatch.setattr(GitMirror, "push", watched)
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert seen == [[bad.to_digest]]


def test_roll_back_withdrawn_before_the_write_refuses_nothing(example, sre, night_shift, released):
    good, _ = released
    promotion = approve(_opened(example, _ask_back(good, sre)), night_shift)

    decisions.withdraw(promotion_id=promotion.pk, reason=REASON, person=sre, by=_by(sre))
    example.execute()

    assert not Refusal.objects.exists()
    assert _written_tag(example) == BAD


def test_lift_refusal_lets_the_next_scan_offer_it_again(example, sre, night_shift, released):
    good, _ = released
    _run(example, approve(_opened(example, _ask_back(good, sre)), night_shift))
    assert _offered(example) == []

    refusal = Refusal.objects.get(lifted_at=None)
    decisions.lift_refusal(
        refusal_id=refusal.pk, reason="the cause was elsewhere", person=sre, by=_by(sre)
    )

    assert _offered(example) == [BAD]
    assert AuditEvent.objects.filter(kind=AuditKind.REFUSAL_LIFTED).count() == 1


def test_roll_back_sets_aside_an_open_offer_and_no_newer_one_sets_it_aside(
    example, sre, night_shift, released
):
    good, _ = released
    offered = example.offer(NEWER, created="2026-11-23T10:00:00Z")
    promotion = _opened(example, _ask_back(good, sre))
    offered.refresh_from_db()
    assert (offered.status, offered.superseded_by) == ("SUPERSEDED", promotion)
    assert "go back to" in offered.status_reason

    example.push("main-4444444", created="2026-11-24T10:00:00Z")

    assert _offered(example) == [GOOD]


def test_roll_back_sets_aside_an_approved_one(example, sre, night_shift, released):
    good, _ = released
    newer = approve(example.offer(NEWER, created="2026-11-23T10:00:00Z"), sre)

    _opened(example, _ask_back(good, sre))
    example.execute()

    newer.refresh_from_db()
    assert newer.status == "SUPERSEDED"
    assert _written_tag(example) == BAD


def test_roll_back_of_a_release_that_never_came_up_refuses_it(example, sre, night_shift):
    good = _release(example, GOOD, 21, sre)
    bad = approve(example.offer(BAD, created="2026-11-22T10:00:00Z"), sre)
    example.execute()
    Promotion.objects.filter(pk=bad.pk).update(status="FAILED", ended_at=F("approved_at"))

    promotion = approve(_opened(example, _ask_back(good, sre)), night_shift)
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING", promotion.status_reason
    assert _written_tag(example) == GOOD
    assert Refusal.objects.get().digest == bad.to_digest


def test_roll_back_to_a_tag_pushed_again_is_refused_with_both_digests(example, sre, released):
    good, _ = released
    request = _ask_back(good, sre)
    digest = example.push(GOOD, created="2026-11-21T10:00:00Z", labels={"by": "another"})

    example.propose()

    request.refresh_from_db()
    assert request.status == "REFUSED"
    assert good.to_digest in request.problem
    assert digest in request.problem
    assert not Promotion.objects.filter(kind="rollback").exists()


def test_roll_back_to_a_deleted_tag_is_refused(example, sre, released):
    good, _ = released
    request = _ask_back(good, sre)
    example.images.content.untag("acme/backend", GOOD)

    example.propose()

    request.refresh_from_db()
    assert (request.status, request.problem) == ("REFUSED", f"{GOOD} is gone from the registry.")
    events = AuditEvent.objects.filter(promotion=str(request.pk)).order_by("sequence")
    assert [event.kind for event in events] == [
        AuditKind.PROMOTION_REQUESTED,
        AuditKind.PROMOTION_NOT_OPENED,
    ]


def test_roll_back_when_the_file_holds_it_already_is_refused(example, sre, released):
    good, _ = released
    request = _ask_back(good, sre)
    text = example.git.read(REPOSITORY, "main", OVERRIDE).decode().replace(BAD, GOOD)
    example.git.commit(REPOSITORY, "main", {OVERRIDE: text.encode()}, "Back by hand")

    example.propose()

    request.refresh_from_db()
    assert request.status == "REFUSED"
    assert "already written" in request.problem


def test_roll_back_of_a_deleted_application_is_refused(example, sre, released):
    good, _ = released
    request = _ask_back(good, sre)
    example.delete("example")

    example.propose()

    request.refresh_from_db()
    assert request.status == "REFUSED"
    assert request.problem


def test_roll_back_while_the_registry_is_silent_waits_and_opens_later(
    example, sre, released, monkeypatch
):
    good, _ = released
    request = _ask_back(good, sre)
    with monkeypatch.context() as patch:
        patch.setattr("approvals.requested.scanning.read_tag", _silent)
        example.propose()
    request.refresh_from_db()
    assert (request.status, request.problem) == ("WAITING", "The registry does not answer.")

    Request.objects.update(retry_at=None)

    assert _opened(example, request).to_tag == GOOD


def test_roll_back_to_a_tag_pushed_again_after_the_approval_writes_nothing(
    example, sre, night_shift, released
):
    good, _ = released
    promotion = approve(_opened(example, _ask_back(good, sre)), night_shift)
    example.push(GOOD, created="2026-11-21T10:00:00Z", labels={"by": "another"})

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "WITHDRAWN"
    assert "pushed again" in promotion.status_reason
    assert _written_tag(example) == BAD
    assert not Refusal.objects.exists()


def _request(person: User, tag: str) -> Request:
    image = TrackedImage.objects.get(alias="backend")
    return decisions.request(
        tracked_image=image, tag=tag, reason=REASON, person=person, by=_by(person)
    )


def test_request_of_an_older_tag_is_decided_written_and_sticks(example, sre, viewer, released):
    request = _request(viewer, GOOD)

    promotion = _opened(example, request)

    assert (promotion.kind, promotion.requested_by) == ("chosen", viewer.username)
    assert promotion.candidate.is_downgrade
    assert [edit[2] for edit in promotion.subject["edits"]][-1] == GOOD
    _run(example, approve(promotion, sre))
    assert _written_tag(example) == GOOD
    assert _offered(example) == []


def test_request_of_a_newer_tag_than_the_offer_leaves_the_rest_to_the_next_scan(
    example, sre, viewer, released
):
    example.push(NEWER, created="2026-11-23T10:00:00Z")
    offered = example.offer("main-4444444", created="2026-11-24T10:00:00Z")

    promotion = _opened(example, _request(viewer, NEWER))

    offered.refresh_from_db()
    assert offered.status == "SUPERSEDED"
    assert not promotion.candidate.is_downgrade
    _run(example, approve(promotion, sre))
    assert not Refusal.objects.exists()
    assert _offered(example) == ["main-4444444"]


def test_request_withdrawn_by_who_asked_brings_the_offer_back(example, sre, viewer, released):
    offered = example.offer(NEWER, created="2026-11-23T10:00:00Z")
    promotion = _opened(example, _request(viewer, GOOD))

    decisions.withdraw(promotion_id=promotion.pk, reason=REASON, person=viewer, by=_by(viewer))

    offered.refresh_from_db()
    assert offered.status == "SUPERSEDED"
    assert _offered(example) == [NEWER]


def _silent(**kwargs: Any) -> Any:
    raise RegistryUnavailableError("The registry does not answer.")


SHORT_RULE = """version: 1
roles: [{role: approver, groups: [sre, leads]}]
rules:
  - name: production
    match: {applications: [argocd/example]}
    approvals: [{name: an SRE, groups: [sre], count: 1}]
    mandatory_groups: [leads]
    rollback: {approvals: [{name: an SRE, groups: [sre], count: 1}]}
"""


def test_way_back_by_the_pages_alone_takes_one_sre_where_a_release_takes_two_groups(
    example, sre, released, person, tmp_path, settings
):
    good, _ = released
    settings.POLICY_FILE = str(tmp_path / "policy.yaml")
    (tmp_path / "policy.yaml").write_text(SHORT_RULE, encoding="utf-8")
    example.propose()
    mei, ben = (Client() for _ in range(2))
    mei.force_login(person("mona", "sre"))
    ben.force_login(person("ben", "sre"))

    # Whoever is on call asks, from the page of what ran.
    page = mei.get("/applications/argocd/example/releases/?image=backend").content.decode()
    address = f"/promotions/{good.pk}/roll-back/"
    assert address in page
    page = mei.post(address, {"reason": REASON}, follow=True).content.decode()
    assert "Being prepared" in page
    example.propose()

    # Nobody approves what they asked for; one other SRE is enough here.
    promotion = Promotion.objects.get(kind="rollback")
    decide = f"/promotions/{promotion.pk}/approve/"
    assert mei.post(decide, {"seal": promotion.seal}).status_code in (403, 409)
    assert (
        "Yours is the last approval needed"
        in ben.get(f"/promotions/{promotion.pk}/").content.decode()
    )
    assert ben.post(decide, {"seal": promotion.seal}).status_code == 302

    _run(example, promotion)

    message = example.git.log(REPOSITORY, "main")[0].message
    assert re.findall("^Approved-by: (.+)$", message, re.MULTILINE) == ["ben"]
    assert _written_tag(example) == GOOD
    page = ben.get("/applications/argocd/example/").content.decode()
    assert f"Left for {GOOD}: {REASON}" in page
