"""Releases and executions: what was decided, what was written, what one may do."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals.execution import ledger, pull_request_facts
from approvals.models import Promotion
from approvals.queries import releases
from approvals.queries.releases import Show, Wanted
from approvals.views.ledger import GIT_STEPS, PATCH_STEPS, PULL_REQUEST_STEPS
from tests import builders
from updater.models import Lease


def _get(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_releases_show_change_signers_commit_and_outcome(client: Client, sre: User):
    release = builders.make_promotion(
        status="SUCCEEDED", commit="ab3307e" + "0" * 33, attempts=1, status_reason="Healthy."
    )
    builders.make_decision(release, sre)
    client.force_login(sre)

    page = _get(client, "/releases/")

    for words in ("Mei Tanaka", "ab3307e000", "Healthy.", "Succeeded"):
        assert words in page


def test_releases_leave_out_what_is_pending(client: Client, sre: User):
    pending = builders.make_promotion()
    client.force_login(sre)

    assert str(pending.pk) not in _get(client, "/releases/")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), {"a", "b", "c"}),
        (Wanted(show=Show.FAILED), {"b"}),
        (Wanted(show=Show.RUNNING), {"c"}),
        (Wanted(application="argocd/one"), {"a", "b"}),
        (Wanted(application="ONE"), {"a", "b"}),
        (Wanted(image="worker"), {"b"}),
        (Wanted(tag="main-ccccccc"), {"c"}),
        (Wanted(application="argocd/none"), set()),
    ],
    ids=["all", "failed", "running", "full name", "part of name", "image", "tag", "none"],
)
def test_releases_filters_find(db: None, wanted: Wanted, found: set[str]):
    one, two = builders.make_application("one"), builders.make_application("two")
    for name, application, alias, status in (
        ("a", one, "web", "SUCCEEDED"),
        ("b", one, "worker", "FAILED"),
        ("c", two, "web", "EXECUTING"),
    ):
        image = builders.make_tracked_image(application, alias)
        candidate = builders.make_candidate(image, f"main-{name * 7}")
        builders.make_promotion(candidate, status=status)

    shown = {row.to_tag[5] for row in releases.page(wanted).rows}

    assert shown == found


def test_releases_pages_hold_every_row_once_also_with_equal_times(db: None, monkeypatch):
    monkeypatch.setattr(releases, "PAGE_SIZE", 3)
    at = timezone.now()
    statuses = ["SUCCEEDED", "FAILED", "REJECTED"] * 3
    made = [builders.make_promotion(status=status, created_at=at).pk for status in statuses]
    made.append(builders.make_promotion(status="EXPIRED", created_at=at - timedelta(days=1)).pk)

    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = releases.page(Wanted(), cursor)
        seen += [row.pk for row in page.rows]
        cursor, pages = page.next_cursor, pages + 1

    assert (pages, len(seen), set(seen)) == (4, 10, set(made))


@pytest.mark.parametrize(
    "query", ["after=zz", "after=WyJ4IiwgInkiXQ", "tag=%00", "application=" + "a" * 600]
)
def test_releases_unreadable_filter_is_answered_with_400(client: Client, sre: User, query: str):
    client.force_login(sre)

    assert client.get(f"/releases/?{query}").status_code == 400


def test_releases_empty_says_so(client: Client, sre: User):
    client.force_login(sre)

    assert "No release here" in _get(client, "/releases/")


def _errored(**changes) -> Promotion:
    promotion = builders.make_promotion(status="ERRORED", attempts=2, **changes)
    builders.make_execution(promotion, ended_at=timezone.now(), message="connection reset")
    second = builders.make_execution(
        promotion, attempt=2, ended_at=timezone.now(), message="403 Forbidden"
    )
    builders.make_step(second, "Revalidate", probed="Seal stands")
    builders.make_step(second, "Push", intended="main: 5d20c9e → ab3307e", state="STOPPED")
    return promotion


def test_execution_shows_the_ledger_of_the_latest_attempt(client: Client, sre: User):
    promotion = _errored()
    client.force_login(sre)

    page = _get(client, f"/promotions/{promotion.pk}/execution/")

    for words in ("attempt 2 of 2", "main: 5d20c9e → ab3307e", "Stopped", "403 Forbidden"):
        assert words in page
    assert "Refresh Application" in page
    assert "Not started" in page


def test_execution_shows_an_earlier_attempt_when_asked(client: Client, sre: User):
    promotion = _errored()
    client.force_login(sre)

    page = _get(client, f"/promotions/{promotion.pk}/execution/?attempt=1")

    assert "attempt 1 of 2" in page
    assert "connection reset" in page


@pytest.mark.parametrize("attempt", ["9", "x", "-1", "%00"])
def test_execution_unknown_attempt_shows_the_latest(client: Client, sre: User, attempt: str):
    promotion = _errored()
    client.force_login(sre)

    page = _get(client, f"/promotions/{promotion.pk}/execution/?attempt={attempt}")

    assert "attempt 2 of 2" in page


def test_execution_without_an_attempt_shows_what_will_be_done(client: Client, sre: User):
    promotion = builders.make_promotion(status="APPROVED")
    client.force_login(sre)

    page = _get(client, f"/promotions/{promotion.pk}/execution/")

    assert "no attempt yet" in page
    assert "Point of no return. Before it nothing is written." in page


def test_execution_point_of_no_return_says_when_it_was_passed(client: Client, sre: User):
    promotion = _errored(pushed_at=timezone.now())
    client.force_login(sre)

    assert "Point of no return, passed" in _get(client, f"/promotions/{promotion.pk}/execution/")


def test_execution_viewer_sees_why_the_buttons_are_off(client: Client, viewer: User):
    promotion = _errored()
    client.force_login(viewer)

    page = _get(client, f"/promotions/{promotion.pk}/execution/")

    assert page.count("Off: This needs the role approver for argocd/") == 3  # retry, stop, withdraw
    assert 'data-kind="primary"' not in page


def test_execution_shows_who_holds_the_lease(client: Client, sre: User):
    promotion = _errored()
    Lease.objects.create(
        target=promotion.executions.first().target,
        holder="execute-worker-9",
        fence=7,
        expires_at=timezone.now() + timedelta(minutes=1),
    )
    client.force_login(sre)

    page = _get(client, f"/promotions/{promotion.pk}/execution/")

    assert "held by execute-worker-9, fence 7" in page


def test_steps_to_come_are_those_the_workers_record():
    named = {
        *(ledger.PUSH, ledger.PATCH, ledger.REFRESH),
        *(pull_request_facts.PUSH, pull_request_facts.OPEN, pull_request_facts.WAIT),
        *("Revalidate", "Build commit"),
    }

    assert {*GIT_STEPS, *PATCH_STEPS, *PULL_REQUEST_STEPS} == named


@pytest.mark.parametrize("address", ["/releases/", "/promotions/{}/execution/"])
def test_releases_other_methods_are_refused(client: Client, sre: User, address: str):
    promotion = builders.make_promotion()
    client.force_login(sre)

    assert client.post(address.format(promotion.pk)).status_code == 405


def test_execution_of_an_approved_one_says_its_place_in_line(client: Client, sre: User):
    first, second = (
        builders.make_promotion(
            status="APPROVED", approved_at=timezone.now() - timedelta(minutes=minutes)
        )
        for minutes in (9, 3)
    )
    client.force_login(sre)

    pages = [
        client.get(f"/promotions/{row.pk}/execution/").content.decode() for row in (first, second)
    ]

    assert "First in line for its target." in pages[0]
    assert f"2. in line, behind {first.application.name} / web {first.to_tag}" in pages[1]


def test_execution_of_an_errored_one_links_its_runbook(client: Client, sre: User):
    row = builders.make_promotion(status="ERRORED", error_code="git_push_declined")
    client.force_login(sre)

    page = client.get(f"/promotions/{row.pk}/execution/").content.decode()

    assert "/recovery/runbooks/errored-refused/" in page
