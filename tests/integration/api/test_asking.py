"""Asking through the API: the same guards as on the pages, once for each key, and what became of it."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals import doorbell
from approvals.models import Promotion, Request
from tests import builders
from updater.models import TrackedImage

REASON = "the checkout times out"
TAG = "main-e1f492f"


@pytest.fixture(autouse=True)
def _quiet_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "ring_proposals", lambda: None)


@pytest.fixture
def release(db: None) -> Promotion:
    """A release that succeeded, of an image that runs something else now."""
    image = builders.make_tracked_image(builders.make_application("checkout"))
    return builders.make_promotion(builders.make_candidate(image, TAG), status="SUCCEEDED")


def _post(client: Client, person: User, address: str, body: object, **headers: str) -> Any:
    client.force_login(person)
    text = json.dumps(body)
    return client.post(f"/api/v1/{address}", text, "application/json", headers=headers)


def _ask(client: Client, person: User, **changes: Any) -> Any:
    body = {"image": "web", "tag": TAG, "reason": REASON, **changes}
    return _post(client, person, "applications/argocd/checkout/requests", body)


def test_roll_back_answers_with_the_request_and_can_be_followed(client, sre, release):
    answer = _post(client, sre, f"promotions/{release.pk}/roll-back", {"reason": REASON})

    told = answer.json()
    assert answer.status_code == 200
    assert (told["kind"], told["status"], told["tag"]) == ("rollback", "WAITING", TAG)
    assert (told["returns_to"], told["requested_by"]) == (str(release.pk), sre.username)
    assert client.get(f"/api/v1/requests/{told['id']}").json() == told


def test_roll_back_with_the_same_key_asks_once(client, sre, release):
    key = {"Idempotency-Key": "night-1"}
    address = f"promotions/{release.pk}/roll-back"

    first = _post(client, sre, address, {"reason": REASON}, **key)
    second = _post(client, sre, address, {"reason": REASON}, **key)

    assert first.json() == second.json()
    assert Request.objects.count() == 1


def test_request_by_a_developer_is_taken(client, viewer, release):
    answer = _ask(client, viewer)

    assert answer.status_code == 200
    assert answer.json()["requested_by"] == viewer.username
    assert Request.objects.get().tracked_image == TrackedImage.objects.get()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"tag": "main-0000000"}, 409, "tag_not_allowed"),
        ({"tag": ""}, 400, "invalid"),
        ({"tag": 7}, 400, "invalid"),
        ({"tag": "a" * 129}, 400, "invalid"),
        ({"tag": "main\u0000"}, 400, "invalid"),
        ({"reason": "short"}, 400, "reason_missing"),
        ({"reason": "\ud800 is no sign at all"}, 400, "invalid"),
        ({"image": "nothing"}, 404, "not_found"),
        ({"digest": "sha256:0"}, 400, "invalid"),
    ],
    ids=str,
)
def test_request_of_something_strange_is_refused_with_a_code(
    changes, status, code, client, viewer, release
):
    answer = _ask(client, viewer, **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert not Request.objects.exists()


def test_request_for_an_application_that_is_not_there_is_not_found(client, viewer, db):
    assert _ask(client, viewer).status_code == 404


@pytest.mark.parametrize("address", ["requests/{0}", "promotions/{0}/roll-back"])
def test_what_does_not_exist_is_not_found(address, client, sre, db):
    client.force_login(sre)
    full = f"/api/v1/{address.format(uuid4())}"

    answer = client.get(full) if address.startswith("requests") else _post(
        client, sre, full.removeprefix("/api/v1/"), {"reason": REASON}
    )  # fmt: skip

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_requester_withdraws_own_promotion_and_others_cannot(client, viewer, release):
    asked = {"kind": "chosen", "request_reason": REASON}
    own = builders.make_promotion(release.candidate, requested_by=viewer.username, **asked)
    image = builders.make_tracked_image()
    other = builders.make_promotion(builders.make_candidate(image), requested_by="mei", **asked)

    body = {"reason": REASON}
    taken = _post(client, viewer, f"promotions/{own.pk}/withdraw", body)
    kept = _post(client, viewer, f"promotions/{other.pk}/withdraw", body)

    assert (taken.status_code, taken.json()["status"]) == (200, "WITHDRAWN")
    assert (kept.status_code, kept.json()["code"]) == (403, "not_allowed")


def test_withdraw_request_before_it_was_prepared(client, viewer, release):
    asked = _ask(client, viewer).json()

    answer = _post(client, viewer, f"requests/{asked['id']}/withdraw", {"reason": "a mistake"})

    assert (answer.status_code, answer.json()["status"]) == (200, "WITHDRAWN")


def test_request_of_another_teams_application_is_not_even_there(client, release, monkeypatch):
    stranger = builders.make_person("stranger", role=None)
    wish = Request.objects.create(
        tracked_image=release.tracked_image, kind="chosen", tag=TAG, reason=REASON, by=stranger,
        at=timezone.now(),
    )  # fmt: skip
    client.force_login(stranger)

    assert client.get(f"/api/v1/requests/{wish.pk}").status_code == 403
