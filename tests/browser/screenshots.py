"""Takes the pictures of the five main pages, light and dark, from a running demo.

make demo            in one terminal
make screenshots     in another
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from onebox.world import people

FOLDER = Path(__file__).resolve().parents[2] / "docs/screenshots"
THEMES = ("light", "dark")
SIZE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def main() -> None:
    """Take all pictures."""
    options = _options()
    for theme in THEMES:
        with _signed_in(options, theme) as page:
            for name in _visit(page, options.url):
                _take(page, options.folder / f"{name}-{theme}.png")
    with _signed_in(options, "light") as page:
        page.set_viewport_size(PHONE)
        page.goto(options.url)
        _take(page, options.folder / "pending-phone-light.png")


def _visit(page: Page, url: str) -> Iterator[str]:
    """Go to each main page by the links a person would follow, and yield its name."""
    page.goto(url)
    application = page.locator("[scope=rowgroup] a").first.get_attribute("href")
    yield "pending"
    page.locator("tr[data-row]:has(.pick input) .image a").first.click()
    page.wait_for_url(re.compile(r"/promotions/"))
    yield "promotion"
    page.goto(f"{url}{application}")
    yield "application"
    page.goto(f"{url}/releases/")
    page.locator("a[href$='/execution/']").first.click()
    page.wait_for_url(re.compile(r"/execution/"))
    yield "execution"
    page.goto(f"{url}/audit/?kind=promotion.approved")
    page.locator("tr[data-row] a").first.click()
    page.wait_for_url(re.compile(r"open="))
    yield "audit"


def _take(page: Page, file: Path) -> None:
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.evaluate("document.activeElement?.blur()")
    page.screenshot(path=file)
    sys.stdout.write(f"{file}\n")


@contextmanager
def _signed_in(options: argparse.Namespace, theme: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_browser())
        page = browser.new_context(viewport=SIZE, color_scheme=theme).new_page()
        page.goto(f"{options.url}/sign-in/")
        page.get_by_label("Account").fill(options.user)
        page.get_by_label("Password").fill(options.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{options.url}/")
        yield page
        browser.close()


def _browser() -> str:
    named = os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    browser = named or next((path for path in found if path), None)
    if browser is None:
        sys.exit("No chromium is installed: apt-get install chromium, or name one in CHROMIUM.")
    return browser


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8000", help="where the demo listens")
    parser.add_argument("--user", default="mei", help="an account that may approve")
    parser.add_argument("--password", default=people.PASSWORD)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    options.url = options.url.rstrip("/")
    options.folder.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
