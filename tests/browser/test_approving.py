"""The main path in a real browser: sign in, find it, read it, decide."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from approvals.models import Decision, Promotion
from tests import builders


@pytest.fixture
def promotion(transactional_db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image))


def test_approve_from_the_inbox_to_the_decision(page: Page, sign_in, promotion, sre: User):
    sign_in(sre)

    page.get_by_role("link", name="web").click()
    expect(page.locator("ins mark")).to_have_text("main-e1f492f")
    page.get_by_role("button", name="Approve and commit").click()

    expect(page.get_by_role("status").filter(has_text="Approved: checkout / web")).to_be_visible()
    expect(page.locator(".signatures")).to_contain_text("Mei Tanaka")
    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert Decision.objects.get().seal == promotion.seal


def test_reject_opens_in_place_and_asks_for_the_reason(page: Page, sign_in, promotion, sre: User):
    sign_in(sre)
    page.goto(f"{page.url}promotions/{promotion.pk}/")

    page.get_by_role("link", name="Reject…").click()
    sheet = page.get_by_role("dialog", name=re.compile("Reject main-e1f492f"))
    expect(sheet.get_by_label("Reason")).to_be_focused()
    sheet.get_by_label("Reason").fill("Doubles the p99 of /pay on staging")
    sheet.get_by_role("button", name="Reject").click()

    expect(page.locator(".verdict")).to_contain_text("Rejected")
    promotion.refresh_from_db()
    assert promotion.status == "REJECTED"


def test_several_are_named_before_they_are_approved(page: Page, sign_in, promotion, sre: User):
    worker = builders.make_tracked_image(promotion.application, "worker")
    builders.make_promotion(builders.make_candidate(worker))
    sign_in(sre)
    bar = page.get_by_role("region", name="Selection")
    expect(bar).to_be_hidden()

    for box in page.get_by_role("checkbox").all():
        box.check()
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Review and approve").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approve 2 promotions")
    page.get_by_role("button", name="Approve and commit 2").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("2 of 2 decided")
    assert set(Promotion.objects.values_list("status", flat=True)) == {"APPROVED"}


def test_everything_works_without_script(
    browser: Browser, live_server: LiveServer, promotion, sre: User
):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url)
    page.get_by_label("Account").fill("mei")
    page.get_by_label("Password").fill(builders.PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name="web").click()
    page.get_by_role("link", name="Reject…").click()
    page.get_by_label("Reason").fill("Doubles the p99 of /pay on staging")
    page.get_by_role("button", name="Reject").click()

    expect(page.locator(".verdict")).to_contain_text("Rejected")
    context.close()


def test_theme_is_switched_without_script_and_stays(
    browser: Browser, live_server: LiveServer, sre: User
):
    context = browser.new_context(java_script_enabled=False, color_scheme="light")
    page = context.new_page()
    page.goto(live_server.url)
    page.get_by_label("Account").fill("mei")
    page.get_by_label("Password").fill(builders.PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("button", name="theme: switch to light").click()
    page.get_by_role("button", name="theme: switch to dark").click()

    assert page.locator("html").get_attribute("data-theme") == "dark"
    context.close()
