"""The story the product is built around, word for word, through the real web, worker and beat processes."""

import sys
import time

import pytest
import yaml

from tests.journeys.demo import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    running.stop()


def _pending(visitor, tag=None):
    query = {"status": "PENDING", "application": "argocd/example", "image": "backend"}
    rows = visitor.api("promotions", **query)["results"]
    return next((row for row in rows if tag in (None, row["to_tag"])), None)


def _status(visitor, promotion):
    return visitor.api(f"promotions/{promotion['id']}")


def _value(text, name):
    parameters = yaml.safe_load(text)["helm"]["parameters"]
    return next(item["value"] for item in parameters if item["name"] == name)


def _override(demo, *, frontend_tag):
    """Return the bytes that Argo CD Image Updater would write (specification 3.5)."""
    registry = f"127.0.0.1:{demo.place['registry_port']}"
    values = {
        "backend.image": f"{registry}/acme/backend",
        "backend.tag": "main-e1f492f",
        "frontend.image": f"{registry}/acme/frontend",
        "frontend.tag": frontend_tag,
    }
    entries = [
        f"  - name: {name}\n    value: {value}\n    forcestring: true\n"
        for name, value in values.items()
    ]
    return "helm:\n  parameters:\n" + "".join(entries)


def test_main_job_from_a_pushed_image_to_an_approved_commit(demo, capsys):
    # Two builds are pushed; only the one from main becomes a candidate.
    mei = demo.sign_in("mei")
    demo.wait(lambda: _pending(mei))  # the demo's own CI has begun
    demo.push("acme/backend", "main-e1f492f")
    demo.push("acme/backend", "feature-77aa001")
    promotion = demo.wait(lambda: _pending(mei, "main-e1f492f"))
    assert "feature-77aa001" not in mei.get("/")
    assert "main-e1f492f" in mei.get("/")

    # The page says exactly what will change.
    page = mei.get(f"/promotions/{promotion['id']}/")
    assert ".argocd-source-example.yaml" in page
    assert "backend.tag" in page
    assert promotion["to_digest"].removeprefix("sha256:")[:8] in page

    # A developer may look and not decide.
    jonas = demo.sign_in("jonas")
    refused = jonas.post(
        f"/promotions/{promotion['id']}/approve/", jonas.get("/"), seal=promotion["seal"]
    )
    assert refused.status_code == 403
    assert _status(mei, promotion)["status"] == "PENDING"

    # The approval is written within seconds.
    began = time.monotonic()
    answer = mei.post(
        f"/promotions/{promotion['id']}/approve/", page, seal=promotion["seal"], reason=""
    )
    assert answer.status_code == 200
    pushed = demo.wait(lambda: _status(mei, promotion)["commit"])
    seconds = time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(f"\napprove → pushed: {seconds:.2f} s\n")
    assert str(promotion["id"]) in demo.commits("acme/example-chart")

    # Git holds the override and nothing else changed; the Application rolls forward.
    ended = demo.wait(lambda: (row := _status(mei, promotion))["status"] == "SUCCEEDED" and row)
    assert ended["commit"] == pushed
    written = demo.file_of_commit("acme/example-chart", pushed, ".argocd-source-example.yaml")
    assert written == _override(demo, frontend_tag=_value(written, "frontend.tag"))
    assert demo.changed_by_commit("acme/example-chart", pushed) == [".argocd-source-example.yaml"]

    # Every step is in the audit trail, for the auditor.
    sara = demo.sign_in("sara")
    events = sara.api("audit-events", promotion=promotion["id"])["results"]
    kinds = [event["kind"] for event in reversed(events)]
    assert kinds == [
        "promotion.opened",
        "decision.refused",
        "promotion.approved",
        "execution.started",
        "override.committed",
        "application.refreshed",
        "execution.finished",
        "promotion.succeeded",
    ]
    assert "main-e1f492f" in sara.get("/audit/")
