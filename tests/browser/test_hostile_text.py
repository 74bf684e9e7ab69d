"""W04 in a real browser: no dialog opens, the policy blocks nothing because nothing tries."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests import builders
from updater.audit import AuditKind

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
)


@pytest.fixture
def addresses(transactional_db: None) -> list[str]:
    found = ["", "applications/", "audit/?open=1"]
    for payload in PAYLOADS:
        application = builders.make_application(f"app{payload}", project=payload)
        image = builders.make_tracked_image(application, payload, live_tag=payload)
        labels = {"org.opencontainers.image.source": payload}
        manifest = builders.make_manifest(image.image_repository, payload, labels=labels)
        candidate = builders.make_candidate(image, payload, manifest=manifest, reason=payload)
        promotion = builders.make_promotion(candidate, status_reason=payload)
        builders.make_event(
            AuditKind.PROMOTION_OPENED, by=payload, promotion=promotion, reason=payload, tag=payload
        )
        found += [f"promotions/{promotion.pk}/", f"promotions/{promotion.pk}/reject/"]
    return found


def test_w04_no_payload_acts_on_any_page(page: Page, sign_in, addresses, sre: User):
    sign_in(sre)
    start = page.url

    for address in addresses:
        page.goto(start + address)
        expect(page.locator("main")).to_contain_text("alert(1)")
        assert page.evaluate("window.blocked") == []
