"""W04: text from outside on every page: it is shown, and it is nothing but text."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals.models import Request
from tests import builders
from updater.audit import AuditKind
from updater.models import Refusal

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><body onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7|add:7 }}{% debug %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "\u202egnp.exe",
]


class _Acting(HTMLParser):
    """Collects what would act: scripts that are not ours, handlers, script addresses, foreign tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "script" and not values.get("src", "").startswith("/static/approvals/"):
            self.found.append(tag)
        if tag in {"img", "iframe", "object", "embed", "base", "style"}:
            self.found.append(tag)
        self.found += [name for name in values if name.startswith("on") or name == "style"]
        links = [values.get(name, "") for name in ("href", "action", "formaction", "src")]
        self.found += [link for link in links if link.strip().lower().startswith("javascript")]


def _acting(page: str) -> list[str]:
    parser = _Acting()
    parser.feed(page)
    return parser.found


@pytest.fixture
def pages(client: Client, sre: User, payload: str) -> dict[str, str]:
    """Put the payload into every text that comes from outside, and return every page."""
    application = builders.make_application(
        f"app{payload}",
        project=payload,
        health_status=payload,
        sync_status=payload,
        revision=payload,
        problems=[{"key": payload, "value": payload, "message": payload, "alias": payload}],
        write_back={"method": "git", "repository": payload, "target": {"path": payload}},
    )
    registry = builders.make_registry(payload, error_code="x", error_message=payload)
    repository = builders.make_image_repository(
        payload, registry=registry, error_code="x", error_message=payload
    )
    image = builders.make_tracked_image(
        application, payload, image_repository=repository, live_tag=payload
    )
    labels = {f"org.opencontainers.image.{key}": payload for key in ("source", "revision")}
    manifest = builders.make_manifest(repository, "x", labels=labels)
    candidate = builders.make_candidate(image, payload, manifest=manifest, reason=payload)
    plan = builders.make_plan(application, payload, payload, f"{payload}2")
    plan |= {"warnings": [payload], "stale": payload, "branch": payload}
    sre.first_name = payload
    sre.save()
    promotion = builders.make_promotion(
        candidate, plan=plan, status="ERRORED", status_reason=payload, commit=payload
    )
    builders.make_decision(promotion, sre, reason=payload, identity={"full_name": payload})
    execution = builders.make_execution(promotion, holder=payload, message=payload, target=payload)
    builders.make_step(execution, payload, intended=payload, probed=payload)
    builders.make_event(
        AuditKind.EXECUTION_ERRORED, by=payload, promotion=promotion, tag=payload, reason=payload
    )
    asked = {"kind": "chosen", "requested_by": payload, "request_reason": payload}
    pending = builders.make_promotion(candidate, status_reason=payload, **asked)
    told = {"reason": payload, "at": timezone.now(), "tag": payload}
    refusal = Refusal.objects.create(tracked_image=image, digest=payload, by=payload, **told)
    Request.objects.create(tracked_image=image, kind="chosen", by=sre, problem=payload, **told)
    done = builders.make_promotion(candidate, status="SUCCEEDED", commit=payload)
    builders.make_policy_version("", problem=payload, loaded_by=payload)
    version = builders.make_policy_version(f"version: 1\n# {payload}\n", loaded_by=payload)
    client.force_login(sre)
    addresses = [
        "/",
        "/?show=all",
        f"/?q={payload}",
        "/applications/",
        f"/promotions/{promotion.pk}/",
        f"/promotions/{promotion.pk}/withdraw/",
        f"/promotions/{promotion.pk}/execution/",
        f"/promotions/{pending.pk}/",
        f"/promotions/{done.pk}/roll-back/",
        f"/refusals/{refusal.pk}/lift/",
        "/releases/",
        f"/policy/?new={version.pk}",
        "/audit/?open=1",
        f"/sign-in/?next={payload}",
    ]
    link = re.search(
        r'href="(/applications/[^"?]+/[^"]+/)"', client.get("/?show=all").content.decode()
    )
    assert link
    addresses += [
        link[1],
        f"{link[1]}releases/",
        f"{link[1]}request/?image={payload}&tag={payload}",
    ]
    return {address: client.get(address).content.decode() for address in addresses}


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_w04_text_from_outside_stays_text_on_every_page(pages: dict[str, str]):
    acting = {address: found for address, page in pages.items() if (found := _acting(page))}

    assert acting == {}


@pytest.mark.parametrize("payload", ["\u202egnp.exe"], ids=ascii)
def test_w04_turned_text_is_written_out_on_every_page(pages: dict[str, str]):
    # What fields send back must match what is stored; what people read must not turn around.
    shown = {address: re.sub(r'value="[^"]*"', "", page) for address, page in pages.items()}

    turned = [address for address, page in shown.items() if "\u202e" in page]

    assert turned == []
