"""Keys move and open; they never decide."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from approvals.models import Promotion
from tests import builders


@pytest.fixture
def promotions(transactional_db: None) -> list[Promotion]:
    application = builders.make_application("checkout")
    images = [builders.make_tracked_image(application, alias) for alias in ("web", "worker")]
    return [builders.make_promotion(builders.make_candidate(image)) for image in images]


def test_keys_move_select_and_open(page: Page, sign_in, promotions, sre: User):
    sign_in(sre)
    web, worker = (page.locator(f"#row-{promotion.pk}") for promotion in promotions)

    page.keyboard.press("j")
    expect(web.get_by_role("link")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(worker.get_by_role("checkbox")).to_be_checked()
    expect(web.get_by_role("checkbox")).not_to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/promotions/{promotions[0].pk}/")


def test_keys_on_the_decide_page_focus_and_open_but_decide_nothing(
    page: Page, sign_in, promotions, sre: User
):
    sign_in(sre)
    page.goto(f"{page.url}promotions/{promotions[0].pk}/")

    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Approve and commit")).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()

    assert set(Promotion.objects.values_list("status", flat=True)) == {"PENDING"}


def test_keys_in_a_field_are_text(page: Page, sign_in, promotions, sre: User):
    sign_in(sre)

    page.keyboard.press("/")
    page.keyboard.type("jkx?")

    expect(page.get_by_role("searchbox")).to_have_value("jkx?")


def test_skip_link_is_the_first_stop(page: Page, sign_in, promotions, sre: User):
    sign_in(sre)

    page.keyboard.press("Tab")

    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
