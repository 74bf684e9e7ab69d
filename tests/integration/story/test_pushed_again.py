"""A tag that is pushed again: stops what is pending or approved, and raises an alarm over what runs."""

import json

from django.test import Client
from django.utils import timezone

from approvals.models import Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY, Outside
from updater.audit import AuditKind
from updater.models import AuditEvent, ImageTag

NEW, NEWER = "main-e1f492f", "main-77ab0c3"
LONG_AGO = "2026-01-01T00:00Z"


def _let_news_age() -> None:
    """Make every digest and every plan old enough to be looked at again."""
    ImageTag.objects.exclude(digest="").update(digest_seen_at=LONG_AGO)
    for row in Promotion.objects.all():
        row.plan["at"] = "2026-01-01T00:00:00+00:00"
        row.save(update_fields=["plan"])


def _alarms() -> list[dict[str, str]]:
    rows = AuditEvent.objects.filter(kind=AuditKind.TAG_MOVED).order_by("sequence")
    return [json.loads(row.details) for row in rows]


def _released(example: Outside, sre) -> Promotion:
    promotion = approve(example.offer(NEW), sre)
    example.execute()
    promotion.refresh_from_db()
    example.report("example", [NEW], revision=promotion.commit)
    example.look()
    example.observe()
    promotion.refresh_from_db()
    assert promotion.status == "SUCCEEDED", promotion.status_reason
    return promotion


def test_push_again_of_a_running_release_alarms_and_shows_on_its_pages(
    example, sre, client: Client
):
    promotion = _released(example, sre)
    after = example.push(NEW, labels={"pushed": "again"})
    _let_news_age()

    example.look()

    [alarm] = _alarms()
    assert (alarm["tag"], alarm["what"], alarm["after"]) == (NEW, "runs", after)
    client.force_login(sre)
    for address in (f"/promotions/{promotion.pk}/", "/applications/argocd/example/"):
        page = client.get(address).content.decode()
        assert f"{NEW} was pushed again." in page
        assert "A restart may bring what nobody approved." in page
        assert after.removeprefix("sha256:")[:12] in page


def test_release_whose_tag_stayed_shows_no_alarm(example, sre, client: Client):
    promotion = _released(example, sre)
    _let_news_age()
    example.look()
    client.force_login(sre)

    for address in (f"/promotions/{promotion.pk}/", "/applications/argocd/example/"):
        assert "was pushed again" not in client.get(address).content.decode()
    assert _alarms() == []


def test_push_again_of_a_pending_one_seals_it_anew(example):
    promotion = example.offer(NEW)
    after = example.push(NEW, created=timezone.now().isoformat(), labels={"pushed": "again"})
    _let_news_age()

    example.look()
    example.propose()

    fresh = Promotion.objects.get(pk=promotion.pk)
    assert (fresh.status, fresh.revision, fresh.to_digest) == ("PENDING", 2, after)
    assert [alarm["what"] for alarm in _alarms()] == ["is offered"]


def test_push_again_of_an_approved_one_behind_a_newer_offer_stops_it(example, sre):
    promotion = approve(example.offer(NEW), sre)
    example.offer(NEWER)
    after = example.push(NEW, created="2026-11-21T10:00:00Z", labels={"pushed": "again"})
    _let_news_age()

    example.propose()  # asks for news of the approved tag
    example.look()
    _let_news_age()
    example.propose()
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "SUPERSEDED"
    assert f"{NEW} was pushed again" in promotion.status_reason
    assert promotion.decisions.get().voided_at is not None
    assert [(alarm["what"], alarm["after"]) for alarm in _alarms()] == [("is approved", after)]
    assert len(example.git.log(REPOSITORY, "main")) == 1
