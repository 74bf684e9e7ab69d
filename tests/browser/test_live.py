"""Open pages follow what happens, against the real web process; what one signs never moves."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from approvals.models import Promotion
from tests import builders


@pytest.fixture
def promotion(transactional_db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image))


def test_inbox_shows_a_new_promotion_and_keeps_focus_text_and_selection(
    promotion: Promotion, signed_in: Page
):
    page = signed_in
    page.get_by_role("checkbox").check()
    page.get_by_role("searchbox").fill("half a wo")

    worker = builders.make_tracked_image(promotion.application, "worker")
    added = builders.make_promotion(builders.make_candidate(worker))

    expect(page.locator(f"#row-{added.pk}")).to_be_visible()
    expect(page.locator(f"#row-{promotion.pk}").get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_role("searchbox")).to_have_value("half a wo")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_inbox_keeps_the_cursor_of_the_keyboard(promotion: Promotion, signed_in: Page):
    page = signed_in
    page.keyboard.press("j")

    worker = builders.make_tracked_image(promotion.application, "worker")
    added = builders.make_promotion(builders.make_candidate(worker))

    expect(page.locator(f"#row-{added.pk}")).to_be_visible()
    expect(page.locator("tr[data-cursor]")).to_have_id(f"row-{promotion.pk}")


def test_decide_page_only_tells_that_something_changed(promotion: Promotion, signed_in: Page):
    page = _open(signed_in, promotion)

    Promotion.objects.filter(pk=promotion.pk).update(seal="f" * 64, revision=2)

    expect(page.get_by_text("This promotion changed while you read.")).to_be_visible()
    assert page.locator("form[aria-label=Decision] [name=seal]").input_value() == promotion.seal


def test_running_promotion_renews_itself(promotion: Promotion, signed_in: Page):
    now = promotion.created_at
    Promotion.objects.update(status="EXECUTING", approved_at=now)
    page = _open(signed_in, promotion)
    expect(page.locator(".verdict")).to_contain_text("A worker writes it now")

    Promotion.objects.update(status="SUCCEEDED", ended_at=now)

    expect(page.locator(".verdict")).to_contain_text("It runs.")


def test_decision_bar_follows_what_may_still_be_done(promotion: Promotion, signed_in: Page):
    Promotion.objects.update(status="APPROVED", approved_at=promotion.created_at)
    page = _open(signed_in, promotion)
    expect(page.get_by_role("link", name="Reject…")).to_be_visible()

    Promotion.objects.update(status="SUCCEEDED", ended_at=promotion.created_at)

    expect(page.locator(".verdict")).to_contain_text("It runs.")
    expect(page.get_by_role("link", name="Reject…")).to_have_count(0)


def test_approved_promotion_that_is_sealed_anew_shows_its_new_form(
    promotion: Promotion, signed_in: Page
):
    Promotion.objects.update(status="APPROVED", approved_at=promotion.created_at)
    page = _open(signed_in, promotion)

    Promotion.objects.update(status="PENDING", seal="f" * 64, revision=2)

    expect(page.get_by_role("button", name="Approve and commit")).to_be_visible()
    assert page.locator("form[aria-label=Decision] [name=seal]").input_value() == "f" * 64


def test_filter_is_fetched_without_leaving_the_page(promotion: Promotion, signed_in: Page):
    page = signed_in
    page.evaluate("window.stayed = true")

    page.get_by_role("link", name="Running 0").click()

    expect(page.get_by_text("Nothing here now")).to_be_visible()
    assert page.url.endswith("?show=running")
    assert page.evaluate("window.stayed")
    page.go_back()
    expect(page.locator(f"#row-{promotion.pk}")).to_be_visible()


def test_filter_is_kept_by_what_the_stream_brings(promotion: Promotion, signed_in: Page):
    page = signed_in
    page.get_by_role("link", name="Running 0").click()
    expect(page.get_by_text("Nothing here now")).to_be_visible()

    Promotion.objects.update(status="EXECUTING", approved_at=promotion.created_at)

    expect(page.get_by_role("link", name="Running 1")).to_have_attribute("aria-current", "true")
    expect(page.locator(f"#row-{promotion.pk}")).to_be_visible()


def test_session_that_ended_leads_to_sign_in(promotion: Promotion, signed_in: Page):
    Session.objects.all().delete()

    Promotion.objects.update(status_reason="Something happened.")

    expect(signed_in.get_by_label("Password")).to_be_visible()


def _open(page: Page, promotion: Promotion) -> Page:
    page.goto(f"{page.url}promotions/{promotion.pk}/")
    expect(page.locator("[data-live]")).to_have_text("Live")
    return page


def test_without_a_stream_the_page_says_that_it_looks_now_and_then(page: Page, sign_in, sre: User):
    page.clock.install()
    sign_in(sre)

    page.clock.run_for(16_000)

    expect(page.locator("[data-live]")).to_have_text("Looks every 15 s")
