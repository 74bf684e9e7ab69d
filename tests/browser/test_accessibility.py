"""axe-core on every page family, both themes: WCAG 2.2 AA."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page

from approvals.models import PolicyVersion, Request, Review
from tests import builders
from updater.audit import AuditKind
from updater.models import Refusal

AXE = Path(__file__).parent / "vendor/axe.min.js"
RUN = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
  .then((result) => result.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`))"""
PAGES = (
    "",
    "?q=nothing",
    "promotions/{pending}/",
    "promotions/{pending}/reject/",
    "promotions/{errored}/",
    "promotions/{errored}/execution/",
    "promotions/{pending}/emergency/",
    "promotions/{errored}/abort/",
    "promotions/{emergency}/",
    "reviews/",
    "applications/",
    "applications/argocd/checkout/",
    "applications/argocd/checkout/releases/",
    "applications/argocd/checkout/request/?image=web&tag=main-0000001",
    "promotions/{succeeded}/roll-back/",
    "refusals/{refusal}/lift/",
    "releases/",
    "holds/",
    "holds/new/?scope=everything",
    "holds/{hold}/release/",
    "policy/?application=argocd/checkout&new={version}",
    "audit/?open=1",
    "nowhere/",
)


@pytest.fixture
def ids(transactional_db: None, sre: User) -> dict[str, str]:
    problem = {"key": "k", "value": "v", "message": "m", "alias": "web", "fatal": True}
    application = builders.make_application("checkout", problems=[problem])
    image = builders.make_tracked_image(application, "web")
    builders.make_tag(image.image_repository, image.live_tag)
    pending = builders.make_promotion(builders.make_candidate(image))
    worker = builders.make_tracked_image(application, "worker")
    errored = builders.make_promotion(
        builders.make_candidate(worker), status="ERRORED", status_reason="403 Forbidden"
    )
    builders.make_decision(errored, sre)
    builders.make_step(builders.make_execution(errored), "Push", state="STOPPED")
    builders.make_event(AuditKind.PROMOTION_OPENED, promotion=pending, tag=pending.to_tag)
    succeeded = builders.make_promotion(
        builders.make_candidate(image, "main-0000001"), status="SUCCEEDED"
    )
    told = {"reason": "it was slow", "by": "ines", "at": timezone.now()}
    refusal = Refusal.objects.create(tracked_image=worker, tag="main-1", digest="sha256:1", **told)
    Request.objects.create(
        tracked_image=worker,
        kind="chosen",
        tag="main-2",
        reason="needed",
        by=sre,
        at=timezone.now(),
    )
    builders.make_hold(application=application, until=timezone.now() + timedelta(hours=1))
    builders.make_comment(pending, sre)
    stop = builders.make_hold()
    owed = builders.make_review(due_at=timezone.now() - timedelta(hours=1))
    given = builders.make_review()
    Review.objects.filter(pk=given.pk).update(
        given_by=sre, given_at=timezone.now(), verdict="justified", notes="it was right"
    )
    return {
        "hold": str(stop.pk),
        "pending": str(pending.pk),
        "errored": str(errored.pk),
        "succeeded": str(succeeded.pk),
        "emergency": str(owed.promotion_id),
        "refusal": str(refusal.pk),
        "version": str(_versions().pk),
    }


def _versions() -> PolicyVersion:
    """Make three versions of the policy file, one of them refused; return one to compare with the one before."""
    builders.make_policy_version("version: 1\n# first\n")
    builders.make_policy_version("", problem="line 3: rulez is not known")
    window = '{name: night, cron: "0 20 * * *", duration: 10h, zone: Europe/Berlin}'
    text = f"version: 1\nrules: [{{name: shop, mandatory_groups: [leads], windows: {{deny: [{window}]}}}}]\n"
    return builders.make_policy_version(text, is_current=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(page: Page, sign_in, ids, sre: User, theme: str):
    page.emulate_media(color_scheme=theme)
    sign_in(sre)
    start = page.url

    found = {}
    for address in PAGES:
        page.goto(start + address.format(**ids))
        page.evaluate(AXE.read_text())
        if violations := page.evaluate(RUN):
            found[address] = violations

    assert found == {}


def test_axe_finds_nothing_on_the_sign_in_page(page: Page, live_server):
    page.goto(f"{live_server.url}/sign-in/")
    page.evaluate(AXE.read_text())

    assert page.evaluate(RUN) == []


@pytest.mark.parametrize("address", ["", "promotions/{pending}/", "applications/argocd/checkout/"])
def test_phone_width_needs_no_sideways_scrolling(page: Page, sign_in, ids, sre: User, address: str):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(sre)
    page.goto(page.url + address.format(**ids))

    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )

    assert overflow <= 0
