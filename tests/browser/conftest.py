"""A real browser where one is installed; a missing one skips with a reason, but fails under CI."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import builders

HERE = Path(__file__).parent
# Written into every page before it loads: what the policy blocked, and what tried to speak.
WATCH = """
window.blocked = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.blocked.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


def _browser() -> str | None:
    named = os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return named or next((path for path in found if path), None)


@pytest.hookimpl(trylast=True)  # pytest itself sorts by parametrised session fixtures before that
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here and run it last; skip it without a browser, unless CI forbids that.

    Last: Playwright's synchronous API keeps a loop running in this thread until the session ends, in which
    no other test could run a loop of its own.
    """
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.browser)
        # The plugin still uses a fixture form that pytest is about to drop.
        item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestRemovedIn10Warning"))
        if _browser() is None and not os.environ.get("CI"):
            item.add_marker(
                pytest.mark.skip(reason="no chromium installed: apt-get install chromium")
            )
    items[:] = [item for item in items if HERE not in item.path.parents] + ours


@pytest.fixture(scope="session", autouse=True)
def _database_calls_beside_a_running_loop() -> Iterator[None]:
    """Let Django be called in the thread in which Playwright runs its loop."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the system's browser."""
    browser = _browser()
    return {**browser_type_launch_args, **({"executable_path": browser} if browser else {})}


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    """Watch the content security policy in every page."""
    context.add_init_script(WATCH)
    return context


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """Fail the test when a script failed, a dialog opened, or the policy blocked something."""
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: _note(troubles, message.type, message.text))
    yield page
    troubles += page.evaluate("window.blocked ?? []")
    assert troubles == []


def _note(troubles: list[str], kind: str, text: str) -> None:
    # A refused form (409, 401) is logged by the browser as a failed load; that is what was asked for.
    if kind == "error" and "Failed to load resource" not in text:
        troubles.append(text)


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> Callable[[User], None]:
    """Return how a person signs in by the form."""

    def by_form(person: User) -> None:
        page.goto(f"{live_server.url}/sign-in/")
        page.get_by_label("Account").fill(person.username)
        page.get_by_label("Password").fill(builders.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{live_server.url}/")

    return by_form


@pytest.fixture
def signed_in(
    page: Page, client: Client, transactional_db: None, sre: User, web_process: str
) -> Iterator[Page]:
    """Yield a page of the real web process, signed in by a session that is already there."""
    client.force_login(sre)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": web_process}])
    page.goto(web_process)
    expect(page.locator("[data-live]")).to_have_text("Live")
    yield page
    assert page.evaluate("window.blocked") == []
    page.goto("about:blank")  # the process stops next; the page must not see its stream break
