"""Asking from a page: the forms, what they refuse, and where one sees what became of it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals import doorbell
from approvals.models import Promotion, Request
from tests import builders
from updater.models import Refusal, TrackedImage

REASON = "the checkout times out"
TAG = "main-e1f492f"
HOSTILE = "<script>alert(1)</script>\u202e"
APPLICATION = "/applications/argocd/checkout/"


@pytest.fixture(autouse=True)
def _quiet_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "ring_proposals", lambda: None)


@pytest.fixture
def image(db: None) -> TrackedImage:
    return builders.make_tracked_image(builders.make_application("checkout"))


@pytest.fixture
def release(image: TrackedImage, sre: User) -> Promotion:
    candidate = builders.make_candidate(image, TAG)
    ended = timezone.now() - timedelta(days=3, hours=1)
    row = builders.make_promotion(
        candidate, status="SUCCEEDED", commit="a1b2c3d4e5f6a7b8", ended_at=ended
    )
    builders.make_decision(row, sre)
    return row


def _page(client: Client, person: User, address: str, status: int = 200) -> str:
    client.force_login(person)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_releases_name_build_approver_time_and_commit_and_offer_the_way_back(client, sre, release):
    page = _page(client, sre, f"{APPLICATION}releases/")

    for words in (TAG, "Mei Tanaka", "3 d", "a1b2c3d4e5", release.to_digest[7:19]):
        assert words in page
    assert f"/promotions/{release.pk}/roll-back/" in page


def test_releases_to_a_viewer_have_no_button_and_say_who_has(client, viewer, release):
    page = _page(client, viewer, f"{APPLICATION}releases/")

    assert "roll-back/" not in page
    assert "needs the role approver" in page


def test_releases_say_why_one_is_no_way_back(client, sre, release):
    repository = release.tracked_image.image_repository
    repository.tags.filter(name=TAG).update(digest="sha256:0")

    page = _page(client, sre, f"{APPLICATION}releases/")

    assert "was pushed again: it is another image now" in page
    assert "roll-back/" not in page


def test_releases_without_any_say_so(client, sre, image):
    assert "Nothing was released yet" in _page(client, sre, f"{APPLICATION}releases/")


@pytest.mark.parametrize("address", ["releases/?image=nothing", "request/x/", "releases/x/"])
def test_releases_of_what_is_not_there_are_not_found(address, client, sre, image):
    _page(client, sre, APPLICATION + address, status=404)


def test_roll_back_asks_for_the_reason_then_shows_that_it_is_prepared(client, sre, release):
    address = f"/promotions/{release.pk}/roll-back/"
    assert "somebody else than you approves it" in _page(client, sre, address)

    answer = client.post(address, {"reason": REASON}, follow=True)

    page = answer.content.decode()
    assert answer.redirect_chain == [(APPLICATION, 302)]
    for words in ("A worker prepares it", "Being prepared", REASON, "Rollback"):
        assert words in page


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({"reason": "short"}, 409, "at least 10 characters"),
        ({"reason": "x" * 2001}, 400, "longer than 2,000"),
        ({"reason": "nul \x00 nul nul"}, 400, "cannot be read"),
    ],
    ids=["short", "long", "nul"],
)
def test_roll_back_without_a_usable_reason_shows_the_form_again(
    sent, status, sentence, client, sre, release
):
    client.force_login(sre)

    answer = client.post(f"/promotions/{release.pk}/roll-back/", sent)

    assert answer.status_code == status
    assert sentence in answer.content.decode()
    assert not Request.objects.exists()


def test_roll_back_to_what_runs_is_off_and_says_why(client, sre, release):
    TrackedImage.objects.update(live_tag=TAG, live_digest=release.to_digest)

    page = _page(client, sre, f"/promotions/{release.pk}/roll-back/")

    assert "Off: It runs now." in page
    assert "disabled" in page


def test_request_form_names_the_rule_that_forbids_the_tag(client, viewer, release):
    builders.make_tag(release.tracked_image.image_repository, "feature-1")
    client.force_login(viewer)

    sent = {"image": "web", "tag": "feature-1", "reason": REASON}
    answer = client.post(f"{APPLICATION}request/", sent)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "does not match allow-tags" in page
    assert 'value="feature-1"' in page
    assert REASON in page


def test_request_from_the_verdict_list_fills_the_form(client, viewer, release):
    page = _page(client, viewer, f"{APPLICATION}request/?image=web&tag={TAG}")

    assert f'value="{TAG}"' in page

    client.post(f"{APPLICATION}request/", {"image": "web", "tag": TAG, "reason": REASON})

    assert Request.objects.get().by == viewer


@pytest.mark.parametrize(
    "sent", [{}, {"image": "nothing", "tag": TAG}, {"image": "web"}, {"image": "web", "tag": "a" * 129}],
    ids=str,
)  # fmt: skip
def test_request_that_cannot_be_read_says_what_is_wanted(sent, client, viewer, image):
    client.force_login(viewer)

    answer = client.post(f"{APPLICATION}request/", {"reason": REASON, **sent})

    assert answer.status_code == 400
    assert "Name an image of this Application" in answer.content.decode()


def _wish(image: TrackedImage, person: User, **changes: object) -> Request:
    values = {"kind": "chosen", "tag": TAG, "reason": REASON, "by": person, "at": timezone.now()}
    return Request.objects.create(tracked_image=image, **{**values, **changes})


def test_application_shows_why_a_request_came_to_nothing_for_a_day(client, sre, image, viewer):
    ended = {"status": "REFUSED", "ended_at": timezone.now(), "problem": "it is gone"}
    wish = _wish(image, viewer, **ended)

    page = _page(client, sre, APPLICATION)
    assert "Could not be prepared" in page
    assert "it is gone" in page

    Request.objects.update(ended_at=timezone.now() - timedelta(days=2))
    assert "Could not be prepared" not in _page(client, sre, APPLICATION)
    assert wish.tag


def test_inbox_shows_what_is_prepared_and_for_a_day_what_could_not_be(client, sre, image, viewer):
    ended = timezone.now() - timedelta(hours=23)
    _wish(image, viewer, reason="for the fair")
    _wish(image, sre, tag="main-ddddddd", status="REFUSED", ended_at=ended, problem="Gone.")
    before = ended - timedelta(hours=2)
    _wish(image, sre, tag="main-eeeeeee", status="REFUSED", ended_at=before, problem="Old.")
    client.force_login(viewer)

    page = client.get("/?show=all").content.decode().partition('id="prepared"')[2]

    asked, refused = page.partition("</ul>")[0].split("<li>")[1:]
    assert f"{viewer.username} asked for" in asked
    assert "“for the fair”" in asked
    assert "Being prepared." in asked
    assert "main-ddddddd" in refused
    assert "Could not be prepared.</strong> Gone." in refused


def test_inbox_without_requests_says_so_and_a_search_leaves_them_out(client, sre, image):
    client.force_login(sre)

    assert "Nothing. When somebody asks for a tag" in client.get("/").content.decode()
    assert 'id="prepared"' not in client.get("/?q=web").content.decode()


def test_inbox_tells_nothing_of_requests_of_hidden_applications(client, image, sre):
    binding = {"role": "viewer", "groups": [], "users": ["lee"], "projects": ["x"]}
    builders.make_policy_version(bindings=[{**binding, "applications": []}], is_current=True)
    _wish(image, sre, reason="a secret of another team")
    client.force_login(builders.make_person("lee"))
    assert client.get("/").status_code == 200

    assert "a secret of another team" not in client.get("/").content.decode()


def test_request_is_withdrawn_by_who_asked_from_the_page(client, image, viewer):
    wish = _wish(image, viewer)
    assert f"/requests/{wish.pk}/withdraw/" in _page(client, viewer, APPLICATION)

    answer = client.post(f"/requests/{wish.pk}/withdraw/")

    assert answer.status_code == 302
    wish.refresh_from_db()
    assert wish.status == "WITHDRAWN"


def test_request_of_somebody_else_is_not_withdrawn_by_a_viewer(client, image, viewer, sre):
    wish = _wish(image, sre)
    assert "withdraw/" not in _page(client, viewer, APPLICATION)

    assert client.post(f"/requests/{wish.pk}/withdraw/", {"reason": REASON}).status_code == 403


def test_request_of_somebody_else_is_withdrawn_by_an_approver_with_a_reason(
    client, image, viewer, sre
):
    wish = _wish(image, viewer)
    client.force_login(sre)

    first = client.post(f"/requests/{wish.pk}/withdraw/")
    second = client.post(f"/requests/{wish.pk}/withdraw/", {"reason": REASON})

    assert (first.status_code, second.status_code) == (409, 302)
    assert "at least 10 characters" in first.content.decode()


def test_refused_digests_are_listed_and_lifted(client, image, sre):
    refusal = _refusal(image)
    page = _page(client, sre, APPLICATION)
    for words in ("Not offered", "main-bad0000", "ines", "and what is older"):
        assert words in page
    address = f"/refusals/{refusal.pk}/lift/"
    assert address in page
    form = _page(client, sre, address)
    assert "was slow" in form
    assert 'role="alert"' not in form

    client.post(address, {"reason": REASON})

    refusal.refresh_from_db()
    assert refusal.lifted_by == sre.username
    assert "Nothing is refused" in _page(client, sre, APPLICATION)


def test_refused_digests_to_a_viewer_have_no_button(client, image, viewer):
    refusal = _refusal(image)

    assert f"/refusals/{refusal.pk}/" not in _page(client, viewer, APPLICATION)


@pytest.mark.parametrize(
    "address", ["/refusals/4711/lift/", f"/promotions/{builders.NO_PROMOTION}/roll-back/"]
)
def test_what_does_not_exist_is_not_found(address, client, sre):
    _page(client, sre, address, status=404)


def test_hostile_texts_are_shown_as_texts(client, image, sre):
    wish = _wish(image, sre, reason=HOSTILE, tag=HOSTILE, problem=HOSTILE)
    _refusal(image, reason=HOSTILE, tag=HOSTILE, by=HOSTILE)

    for address in (APPLICATION, f"{APPLICATION}releases/"):
        page = _page(client, sre, address)
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert str(wish.pk) in page


def _refusal(image: TrackedImage, **changes: object) -> Refusal:
    values = {"tag": "main-bad0000", "digest": builders.digest("bad"), "scope": "UNTIL_NEWER"}
    told = {"reason": "it was slow", "by": "ines", "at": timezone.now()}
    return Refusal.objects.create(tracked_image=image, **{**values, **told, **changes})


def test_promotion_asked_for_says_by_whom_why_and_where_it_goes_back_to(client, sre, release):
    asked = {"requested_by": "ines", "request_reason": REASON, "returns_to": release}
    way_back = builders.make_promotion(release.candidate, kind="rollback", **asked)

    page = _page(client, sre, f"/promotions/{way_back.pk}/")

    for words in ("ines asked for this", REASON, f"/promotions/{release.pk}/", "It goes back to"):
        assert words in page
