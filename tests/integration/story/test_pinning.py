"""What the policy pins by digest is written as tag and digest, whatever the annotation says, wherever it is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from approvals.models import Promotion
from tests.integration.story import targets
from tests.integration.story.conftest import approve
from tests.integration.story.targets import NEW, REPOSITORY, Shape

OVERRIDE = ".argocd-source-shop.yaml"
CHART = {"values.yaml": b"backend:\n  image: x\n  tag: main-aaaaaaa\n"}
PINNED = "rules: [{name: production, pin: digest}]"


@pytest.fixture
def policy_says(outside: Any, tmp_path: Path, settings: Any) -> Callable[[str], None]:
    """Write the policy file; the next sweep loads it."""
    file = tmp_path / "policy.yaml"
    settings.POLICY_FILE = str(file)

    def say(text: str) -> None:
        file.write_text(f"version: 1\n{text}\n", encoding="utf-8")

    return say


def _read(outside: Any, path: str) -> str:
    return outside.git.read(REPOSITORY, "main", path).decode()


PLACES = {
    "override file": (
        Shape(),
        CHART,
        OVERRIDE,
        "value: {tag}@{digest}\n",
    ),
    "kustomize override": (
        Shape(annotations={}, status={"sourceType": "Kustomize"}),
        {"kustomization.yaml": b"{}\n"},
        OVERRIDE,
        "/acme/backend:{tag}@{digest}\n",
    ),
    "values file": (
        Shape(
            annotations={
                "backend.helm.image-name": "backend.image",
                "backend.helm.image-tag": "backend.tag",
                "write-back-target": "helmvalues:./values.yaml",
            }
        ),
        CHART,
        "values.yaml",
        "tag: {tag}@{digest}\n",
    ),
    "kustomization": (
        Shape(
            annotations={"write-back-target": "kustomization"}, status={"sourceType": "Kustomize"}
        ),
        {"kustomization.yaml": b"resources: []\n"},
        "kustomization.yaml",
        "digest: {digest}\n",
    ),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_write_where_the_policy_pins_holds_the_digest(place, outside, sre, policy_says):
    shape, files, path, line = place
    policy_says(PINNED)
    targets.add(outside, targets.repository(outside, files), shape)

    promotion = targets.written(outside, sre)

    assert line.format(tag=NEW, digest=promotion.to_digest) in _read(outside, path)
    assert promotion.subject["pin"] == "digest"
    assert promotion.to_digest in str(promotion.subject["edits"])


def test_write_by_the_method_argocd_holds_the_digest(outside, sre, policy_says):
    policy_says(PINNED)
    shape = Shape(annotations={**targets.HELM, "write-back-method": "argocd"})
    targets.add(outside, targets.repository(outside, CHART), shape)

    promotion = targets.written(outside, sre)

    parameters = outside.application("shop")["spec"]["source"]["helm"]["parameters"]
    values = {item["name"]: item["value"] for item in parameters}
    assert values["backend.tag"] == f"{NEW}@{promotion.to_digest}"


def test_write_where_only_the_annotation_pins_holds_the_digest_too(outside, sre, policy_says):
    policy_says("rules: [{name: production, pin: tag}]")
    shape = Shape(own={"countersign.dev/pin": "digest"})
    targets.add(outside, targets.repository(outside, CHART), shape)

    promotion = targets.written(outside, sre)

    assert f"value: {NEW}@{promotion.to_digest}\n" in _read(outside, OVERRIDE)


def test_write_by_tag_where_nobody_pins(outside, sre, policy_says):
    policy_says("rules: [{name: production, pin: tag}]")
    targets.add(outside, targets.repository(outside, CHART), Shape())

    targets.written(outside, sre)

    assert f"value: {NEW}\n" in _read(outside, OVERRIDE)


def test_propose_after_the_policy_began_to_pin_is_sealed_anew_with_the_digest(
    outside, sre, policy_says
):
    policy_says("")
    targets.add(outside, targets.repository(outside, CHART), Shape())
    promotion = outside.offer(NEW)
    approve(promotion, sre)

    policy_says(PINNED)
    outside.propose()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert promotion.subject["pin"] == "digest"
    assert f"{NEW}@{promotion.to_digest}" in str(promotion.subject["edits"])
    assert "error" not in promotion.plan
    approve(promotion, sre)
    outside.execute()
    assert f"value: {NEW}@{promotion.to_digest}\n" in _read(outside, OVERRIDE)


def test_outcome_of_a_pinned_release_is_seen_and_offers_nothing_more(outside, sre, policy_says):
    policy_says(PINNED)
    targets.add(outside, targets.repository(outside, CHART), Shape())
    promotion = targets.written(outside, sre)
    image = f"{targets.image(outside)}:{NEW}@{promotion.to_digest}"
    status = {
        "sync": {"status": "Synced", "revision": promotion.commit},
        "health": {"status": "Healthy"},
        "summary": {"images": [image]},
        "sourceType": "Helm",
        "reconciledAt": "2099-11-23T10:00:00Z",
    }
    outside.patch("shop", {"status": status})

    outside.look()
    outside.observe()
    outside.propose()

    promotion.refresh_from_db()
    assert promotion.status == "SUCCEEDED", promotion.status_reason
    assert Promotion.objects.count() == 1
