"""The inbox: what it shows, to whom, and that what a chip counts is what the policy says."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals import policy
from approvals.models import Promotion
from approvals.queries import pending, scopes
from approvals.queries.pending import Inbox, Show, Wanted
from tests import builders


def _row(client: Client, promotion: Promotion, address: str = "/") -> str:
    page = client.get(address).content.decode()
    return page.partition(f'id="row-{promotion.pk}"')[2].partition("</tr>")[0]


def _wanted(person: User, show: Show = Show.ALL) -> Wanted:
    return Wanted(
        username=person.username,
        user_id=person.pk,
        at=timezone.now(),
        decidable=scopes.EVERYTHING,
        show=show,
    )


@pytest.fixture
def promotion(db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image))


def test_pending_shows_change_gates_votes_and_next_step(client: Client, sre: User, promotion):
    client.force_login(sre)

    row = _row(client, promotion)

    assert "main-9c07d1a" in row
    assert "main-e1f492f" in row
    assert "13 pass" in row
    assert "0/1" in row
    assert "Your approval completes it" in row
    assert 'type="checkbox"' in row


def test_pending_viewer_gets_no_checkbox_and_the_reason(client: Client, viewer: User, promotion):
    client.force_login(viewer)

    row = _row(client, promotion)

    assert "checkbox" not in row
    assert "You are not an approver" in row


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_pending_other_methods_are_refused(client: Client, sre: User, method: str):
    client.force_login(sre)

    assert getattr(client, method)("/").status_code == 405


def test_pending_anonymous_goes_to_sign_in_and_comes_back(client: Client, db: None):
    response = client.get("/?show=decide")

    assert (response.status_code, response.url) == (302, "/sign-in/?next=%2F%3Fshow%3Ddecide")


def test_pending_without_a_role_names_who_may(client: Client, outsider: User):
    client.force_login(outsider)

    response = client.get("/")

    assert response.status_code == 403
    assert "viewer or approver or auditor or administrator" in response.content.decode()


def test_pending_begins_with_what_one_can_decide(client: Client, sre: User, promotion):
    mine = builders.make_promotion()
    builders.make_decision(promotion, sre)
    client.force_login(sre)

    assert _row(client, mine)
    assert not _row(client, promotion)
    assert _row(client, promotion, "/?show=all")


def test_pending_begins_with_everything_for_who_decides_nothing(client: Client, viewer, promotion):
    client.force_login(viewer)

    assert _row(client, promotion)


def test_pending_search_without_a_filter_searches_everything(client: Client, sre: User, promotion):
    builders.make_decision(promotion, sre)
    client.force_login(sre)

    assert _row(client, promotion, "/?q=checkout")


def test_pending_with_nothing_to_decide_says_so_and_leads_to_the_rest(
    client: Client, sre: User, promotion
):
    builders.make_decision(promotion, sre)
    client.force_login(sre)

    page = client.get("/").content.decode()

    assert "Nothing waits for you now" in page
    assert 'href="?show=all">Show all 1</a>' in page


def test_pending_marks_what_expires_within_the_hour(client: Client, sre: User, promotion):
    client.force_login(sre)
    calm = _row(client, promotion)
    Promotion.objects.update(expires_at=timezone.now() + timedelta(minutes=20))

    urgent = _row(client, promotion)

    assert "#EXPIRED" not in calm
    assert "#EXPIRED" in urgent


def test_pending_empty_inbox_says_so_and_what_to_do(client: Client, sre: User):
    client.force_login(sre)

    page = client.get("/").content.decode()

    assert "Nothing is pending" in page
    assert "See the Applications" in page


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/?q=nowhere", "Nothing matches"),
        ("/?show=running", "Nothing here now"),
        ("/?show=decide", "Nothing waits for you"),
    ],
)
def test_pending_empty_filter_says_why(client: Client, sre: User, address: str, sentence: str):
    client.force_login(sre)

    assert sentence in client.get(address).content.decode()


@pytest.mark.parametrize("text", ["CHECKOUT", "web", "e1f492f", "9c07d1a", "argocd"])
def test_pending_search_finds_application_image_and_tags(
    client: Client, sre: User, promotion, text: str
):
    client.force_login(sre)

    assert _row(client, promotion, f"/?q={text}")


def test_pending_search_finds_who_decided(client: Client, sre: User, viewer: User):
    approved = builders.make_promotion(status="APPROVED")
    builders.make_decision(approved, viewer)
    client.force_login(sre)

    assert _row(client, approved, "/?q=jonas")
    assert not _row(client, approved, "/?q=amara")


@pytest.mark.parametrize(
    "address",
    [
        "/?after=zz",
        "/?after=" + "A" * 3000,
        "/?q=a%00b",
        "/?q=" + "a" * 201,
        "/?show=' OR 1=1",
        "/?project=%00",
    ],
)
def test_w28_pending_unreadable_filter_is_answered_with_400_and_everything(
    client: Client, sre: User, promotion, address: str
):
    client.force_login(sre)

    response = client.get(address)

    assert response.status_code == 400
    assert str(promotion.pk) in response.content.decode()


def test_pending_chips_count_each_state(client: Client, sre: User, promotion):
    for status in ("APPROVED", "EXECUTING", "ERRORED", "FAILED", "SUCCEEDED"):
        builders.make_promotion(status=status)

    figures = Inbox(_wanted(sre)).figures()

    assert figures.by_show == {
        Show.DECIDE: 1,
        Show.OTHERS: 0,
        Show.APPROVED: 1,
        Show.RUNNING: 1,
        Show.ATTENTION: 2,
        Show.ALL: 5,
    }


def test_pending_old_failure_needs_nobody_any_more(sre: User):
    long_ago = timezone.now() - timedelta(days=2)
    builders.make_promotion(status="FAILED", status_at=long_ago)

    assert Inbox(_wanted(sre)).figures().by_show[Show.ALL] == 0


def test_pending_failure_that_was_followed_by_another_release_needs_nobody(sre: User):
    failed = builders.make_promotion(status="FAILED")
    newer = builders.make_candidate(failed.tracked_image, "main-77ab0c3")
    builders.make_promotion(newer, status="SUCCEEDED")

    assert Inbox(_wanted(sre)).figures().by_show[Show.ALL] == 0


def test_pending_decide_filter_agrees_with_the_policy(sre: User, viewer: User):
    now = timezone.now()
    builders.make_promotion()
    builders.make_promotion(requested_by="mei")
    builders.make_promotion(requested_by="jonas")
    builders.make_promotion(expires_at=now - timedelta(minutes=1))
    builders.make_promotion(status="APPROVED")
    builders.make_decision(builders.make_promotion(), sre)
    builders.make_decision(builders.make_promotion(), sre, voided_at=now)
    builders.make_decision(builders.make_promotion(), viewer)
    builders.make_promotion(status="REJECTED")

    shown = {row.pk for row in Inbox(_wanted(sre, Show.DECIDE)).page().rows}

    everything = Promotion.objects.prefetch_related("decisions")
    allowed = {row.pk for row in everything if policy.explain(row, sre, at=now).can_approve}
    assert shown == allowed
    assert len(shown) == 4


def test_pending_pages_hold_every_row_exactly_once(sre: User, monkeypatch):
    monkeypatch.setattr(pending, "PAGE_SIZE", 3)
    made = {builders.make_promotion().pk for _ in range(8)}

    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = Inbox(_wanted(sre)).page(cursor)
        seen += [row.pk for row in page.rows]
        cursor, pages = page.next_cursor, pages + 1

    assert pages == 3
    assert len(seen) == len(set(seen))
    assert set(seen) == made


def test_pending_groups_rows_by_application(client: Client, sre: User):
    application = builders.make_application("checkout")
    for alias in ("web", "worker"):
        image = builders.make_tracked_image(application, alias)
        builders.make_promotion(builders.make_candidate(image))
    client.force_login(sre)

    page = client.get("/").content.decode()

    assert page.count('scope="rowgroup"') == 1


def test_pending_htmx_gets_only_the_live_part(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = client.get("/", headers={"HX-Request": "true"})

    assert "<html" not in response.content.decode()
    assert str(promotion.pk) in response.content.decode()
    assert "HX-Request" in response.headers["Vary"]


def test_pending_history_restore_gets_the_whole_page(client: Client, sre: User):
    client.force_login(sre)
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}

    assert "<html" in client.get("/", headers=headers).content.decode()


def test_pending_moved_tag_is_named_as_a_gate(client: Client, sre: User, promotion):
    promotion.tracked_image.image_repository.tags.update(digest=builders.digest("pushed again"))
    client.force_login(sre)

    assert "Tag moved" in _row(client, promotion)


def test_pending_target_that_is_busy_is_named_as_a_gate(client: Client, sre: User, promotion):
    older = builders.make_candidate(promotion.tracked_image, "main-0000001")
    builders.make_promotion(older, status="UNKNOWN")
    client.force_login(sre)

    assert "Target busy" in _row(client, promotion)
