"""Holds on pages: the list, the stop switch, the forms, the banner on every page; and comments."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals import doorbell
from approvals.models import Comment, Hold, Promotion
from tests import builders
from updater.audit import AuditKind
from updater.models import AuditEvent

REASON = "incident 4711: checkout is slow"
EVERY_PAGE = ["/", "/applications/", "/releases/", "/holds/", "/applications/argocd/checkout/"]


@pytest.fixture(autouse=True)
def _quiet_bell(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


@pytest.fixture
def promotion(db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image))


def _hold(client: Client, **fields: str):
    values = {"scope": "everything", "reason": REASON, **fields}
    return client.post("/holds/new/", values)


def test_holds_without_any_says_so_and_offers_the_stop_switch(client: Client, sre: User):
    client.force_login(sre)

    page = client.get("/holds/").content.decode()

    assert "Nothing is held" in page
    assert "No hold has ended yet" in page
    assert "Stop everything…" in page


@pytest.mark.parametrize("who", ["viewer", "auditor", "administrator"])
def test_holds_to_others_are_shown_without_any_control(who, client: Client, promotion, request):
    builders.make_hold(application=promotion.application)
    client.force_login(request.getfixturevalue(who))

    page = client.get("/holds/").content.decode()

    assert "incident 4711" in page
    assert "Release…" not in page
    assert "Stop everything…" not in page


def test_holds_shows_who_why_since_until_what_is_left_and_how_past_ones_ended(
    client: Client, sre: User, promotion
):
    now = timezone.now()
    builders.make_hold(
        tracked_image=promotion.tracked_image, until=now + timedelta(hours=3, minutes=1)
    )
    builders.make_hold(
        reason="freeze", released_at=now, released_by="jonas", release_reason="all well again"
    )
    builders.make_hold(reason="short", until=now - timedelta(minutes=1))
    client.force_login(sre)

    page = client.get("/holds/").content.decode()

    standing, _, past = page.partition('id="past-title"')
    assert ">checkout</a>" in standing
    assert "/ web" in standing
    assert ">3 h</time>" in standing
    assert "Released by jonas: all well again" in past
    assert "By itself, its time was up" in past


def test_stop_switch_says_first_what_it_stops_and_holds_nothing(
    client: Client, sre: User, promotion
):
    builders.make_promotion(status="APPROVED")
    builders.make_promotion(status="VERIFYING")
    client.force_login(sre)

    page = client.get("/holds/new/?scope=everything&reason=incident+4711&lasts=60").content.decode()

    assert "Nothing is held yet" in page
    assert page.count("<strong>1</strong>") == 3
    assert ">incident 4711</textarea>" in page
    assert not Hold.objects.exists()


def test_stop_switch_holds_everything_and_every_page_says_by_whom_since_when_and_why(
    client: Client, sre: User, viewer: User, promotion
):
    client.force_login(sre)

    response = _hold(client, lasts="60")

    assert response.url == "/holds/"
    stop = Hold.objects.get()
    assert stop.until is not None
    assert abs(stop.until - timezone.now() - timedelta(hours=1)) < timedelta(seconds=30)
    client.force_login(viewer)
    for address in [*EVERY_PAGE, f"/promotions/{promotion.pk}/"]:
        page = client.get(address).content.decode()
        assert "Everything is held</strong> by mei since" in page
        assert REASON in page


def test_live_part_brings_the_banner_along(client: Client, sre: User, promotion):
    builders.make_hold()
    client.force_login(sre)

    part = client.get("/", headers={"HX-Request": "true"}).content.decode()

    assert "Everything is held" in part
    assert 'id="banners"' in part
    assert 'hx-swap-oob="outerMorph"' in part


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({"scope": "application"}, "argocd/checkout"),
        ({"scope": "image", "image": "web"}, "argocd/checkout/web"),
    ],
)
def test_hold_from_a_page_goes_back_there_and_shows_on_that_applications_pages_only(
    fields, target, client: Client, sre: User, promotion
):
    client.force_login(sre)
    here = f"/promotions/{promotion.pk}/"

    response = _hold(client, application="argocd/checkout", next=here, **fields)

    assert response.url == here
    assert f"{target} is held</strong> by mei" in client.get(here).content.decode()
    assert f"{target} is held" in client.get("/applications/argocd/checkout/").content.decode()
    assert "is held</strong>" not in client.get("/").content.decode()
    assert AuditEvent.objects.get(kind=AuditKind.HOLD_SET).via == "page"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_hold_never_sends_anybody_elsewhere(address, client: Client, sre: User):
    client.force_login(sre)

    assert _hold(client, next=address).url == "/"


REFUSED = {
    "short reason": ({"reason": "why"}, 409, "at least 10 characters"),
    "past": ({"until": "2020-01-01T00:00"}, 409, "must be in the future"),
    "no time": ({"until": "soon"}, 400, "until: Enter a valid date/time"),
    "no length": ({"lasts": "forever"}, 400, "lasts: Select a valid choice"),
    "long reason": ({"reason": "x" * 2001}, 400, "at most 2000 characters"),
    "no scope": ({"scope": "cluster"}, 400, "scope: Select a valid choice"),
}


@pytest.mark.parametrize(("fields", "status", "words"), REFUSED.values(), ids=REFUSED)
def test_hold_that_cannot_be_is_shown_again_with_the_reason(
    fields, status, words, client: Client, sre: User
):
    client.force_login(sre)

    response = _hold(client, **fields)

    assert (response.status_code, words in response.content.decode()) == (status, True)
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": "application", "application": "argocd/nowhere"},
        {"scope": "image", "application": "argocd/checkout", "image": "nothing"},
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_hold_of_what_is_not_there_is_not_found(
    method, fields, client: Client, sre: User, promotion
):
    client.force_login(sre)

    response = getattr(client, method)("/holds/new/", {"reason": REASON, **fields})

    assert response.status_code == 404


def test_hold_twice_is_refused_with_who_holds_it(client: Client, sre: User):
    client.force_login(sre)
    _hold(client)

    response = _hold(client)

    assert (response.status_code, Hold.objects.count()) == (409, 1)
    assert "mei holds everything already" in response.content.decode()


def test_w01_hold_and_release_without_csrf_token_are_refused(sre: User):
    standing = builders.make_hold()
    client = Client(enforce_csrf_checks=True)
    client.force_login(sre)

    assert _hold(client).status_code == 403
    assert client.post(f"/holds/{standing.pk}/release/", {"reason": REASON}).status_code == 403
    assert Hold.objects.get().released_at is None


def test_hold_by_a_viewer_is_refused_and_recorded(client: Client, viewer: User):
    client.force_login(viewer)

    response = _hold(client)

    assert (response.status_code, Hold.objects.count()) == (403, 0)
    assert AuditEvent.objects.get().kind == AuditKind.DECISION_REFUSED


def test_release_asks_why_then_lets_it_go_on(client: Client, sre: User, promotion):
    standing = builders.make_hold(application=promotion.application)
    client.force_login(sre)
    address = f"/holds/{standing.pk}/release/"

    asked = client.get(address).content.decode()
    refused = client.post(address, {"reason": "ok"})
    response = client.post(address, {"reason": "incident is over"})
    again = client.post(address, {"reason": "incident is over"})

    assert "Release argocd/checkout" in asked
    assert (refused.status_code, response.url, again.status_code) == (409, "/holds/", 409)
    assert "does not stand any more" in again.content.decode()
    standing.refresh_from_db()
    assert (standing.released_by, standing.release_reason) == ("mei", "incident is over")


def test_release_of_none_is_not_found(client: Client, sre: User):
    client.force_login(sre)

    assert client.get("/holds/4711/release/").status_code == 404


def test_past_holds_come_by_page_and_a_strange_place_shows_the_newest(client: Client, sre: User):
    now = timezone.now()
    for number in range(52):
        builders.make_hold(reason=f"freeze-{number:02}-", released_at=now, released_by="mei")
    client.force_login(sre)

    first = client.get("/holds/")
    second = client.get("/holds/", {"after": first.context["next_cursor"]}).content.decode()
    strange = client.get("/holds/?after=zzz")

    assert "freeze-51-" in first.content.decode()
    assert "freeze-01-" not in first.content.decode()
    assert "freeze-01-" in second
    assert (strange.status_code, "freeze-51-" in strange.content.decode()) == (400, True)


def test_approved_and_held_promotion_says_that_it_waits(client: Client, sre: User, promotion):
    builders.make_hold(application=promotion.application, reason="incident 4711")
    client.force_login(sre)
    address = f"/promotions/{promotion.pk}/"

    before = client.get(address).content.decode()
    told = client.post(f"{address}approve/", {"seal": promotion.seal}, follow=True).content.decode()

    assert "Does not run at once. mei holds argocd/checkout: incident 4711." in before
    assert "It waits: mei holds argocd/checkout: incident 4711." in told
    assert "Approved. It waits for the end of the hold." in told
    assert (
        "Approved; waits for the end of the hold." in client.get("/?show=approved").content.decode()
    )


def test_gates_are_one_list_with_rule_change_and_who_without_saying_the_digest_twice(
    client: Client, sre: User, promotion
):
    builders.make_hold(until=timezone.now() + timedelta(hours=2, minutes=1))
    client.force_login(sre)

    page = client.get(f"/promotions/{promotion.pk}/").content.decode()

    panel = page.partition('id="gates-title"')[2].partition("</section>")[0]
    names = ["Digest", "Registry", "Write-back", "Settings", "Target", "Window", "Hold", "Soak"]
    names += ["Upstream", "Writers", "Policy", "Sync window", "Application"]
    assert [panel.count(f"<span>{name}</span>") for name in names] == [1] * len(names)
    assert "12 of 13 pass" in panel
    assert "Changes" in panel
    assert "Can be changed by somebody who may release holds." in panel


def test_gates_of_what_runs_are_not_asked(client: Client, sre: User):
    promotion = builders.make_promotion(status="EXECUTING")
    client.force_login(sre)

    assert 'id="gates-title"' not in client.get(f"/promotions/{promotion.pk}/").content.decode()


def test_sync_window_of_argo_cd_is_a_gate_among_the_others(client: Client, sre: User):
    window = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
    application = builders.make_application(sync_windows=[window])
    builders.make_promotion(builders.make_candidate(builders.make_tracked_image(application)))
    client.force_login(sre)

    page = client.get("/").content.decode()

    assert ">Sync window<" in page
    assert "Argo CD&#x27;s sync window is closed by * * * * * for 1h (UTC)." in page


def test_comment_stands_in_the_timeline_and_is_recorded(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = client.post(f"/promotions/{promotion.pk}/comment/", {"text": "line one\nline two"})

    page = client.get(response.url).content.decode()
    assert "<blockquote>line one\nline two</blockquote>" in page
    assert page.count("wrote a comment") == 1
    assert AuditEvent.objects.get(kind=AuditKind.COMMENT_WRITTEN).via == "page"


HOSTILE = {
    "script": ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    "bidi": ("a\u202eb", "a⟨RIGHT-TO-LEFT OVERRIDE⟩b"),
    "control": ("a\x1b[31mb", "a⟨U+001B⟩[31mb"),
    "zero width": ("a\u200bb", "a⟨ZERO WIDTH SPACE⟩b"),
    "template": ("{{ user.password }}", "{{ user.password }}"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_w04_comment_and_hold_of_hostile_text_are_shown_as_text(
    text, shown, client: Client, sre: User, promotion
):
    builders.make_comment(promotion, sre, text)
    builders.make_hold(application=promotion.application, reason=text)
    builders.make_hold(reason=text)
    client.force_login(sre)

    for address in (f"/promotions/{promotion.pk}/", "/holds/"):
        page = client.get(address).content.decode()
        assert shown in page
        assert "<script>alert" not in page
        assert text == shown or text not in page


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001, "x" * 20_001, "a\x00b"])
def test_comment_that_cannot_be_kept_is_refused_with_the_reason(
    text, client: Client, sre: User, promotion
):
    client.force_login(sre)

    response = client.post(f"/promotions/{promotion.pk}/comment/", {"text": text})

    assert (response.status_code, Comment.objects.count()) == (409, 0)
    assert 'role="alert"' in response.content.decode()


def test_comment_by_an_auditor_is_refused_and_recorded_and_no_form_is_shown(
    client: Client, auditor: User, promotion
):
    client.force_login(auditor)

    response = client.post(f"/promotions/{promotion.pk}/comment/", {"text": "let me"})

    assert (response.status_code, Comment.objects.count()) == (403, 0)
    assert AuditEvent.objects.get().kind == AuditKind.DECISION_REFUSED
    assert 'id="comment-title"' not in client.get(f"/promotions/{promotion.pk}/").content.decode()
