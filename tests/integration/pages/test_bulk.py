"""Several decisions at once: each named before, each with its own result."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import Promotion
from tests import builders
from updater.models import AuditEvent

REASON = "Freeze until the load test is over"


@pytest.fixture
def open_ones(db: None) -> list[Promotion]:
    application = builders.make_application("checkout")
    images = [builders.make_tracked_image(application, alias) for alias in ("web", "worker")]
    return [builders.make_promotion(builders.make_candidate(image)) for image in images]


def _chosen(promotions: list[Promotion]) -> list[str]:
    return [f"{promotion.pk}.{promotion.seal}" for promotion in promotions]


def _statuses() -> list[str]:
    return sorted(Promotion.objects.values_list("status", flat=True))


def test_review_names_each_with_its_seal_and_decides_nothing(client: Client, sre: User, open_ones):
    client.force_login(sre)
    ids = [promotion.pk for promotion in open_ones]

    page = client.post("/pending/review/", {"verb": "approve", "promotion": ids}).content.decode()

    assert all(value in page for value in _chosen(open_ones))
    assert "Approve and commit 2" in page
    assert _statuses() == ["PENDING", "PENDING"]


def test_review_leaves_out_what_the_person_cannot_decide(client: Client, sre: User, open_ones):
    Promotion.objects.filter(pk=open_ones[0].pk).update(requested_by="mei")
    client.force_login(sre)
    ids = [promotion.pk for promotion in open_ones]

    page = client.post("/pending/review/", {"verb": "approve", "promotion": ids}).content.decode()

    assert "Left out" in page
    assert "somebody else must approve it" in page
    assert _chosen(open_ones)[0] not in page
    assert "Approve and commit 1" in page


def test_decide_approves_each_and_says_so(client: Client, sre: User, open_ones):
    client.force_login(sre)

    response = client.post("/pending/decide/", {"verb": "approve", "chosen": _chosen(open_ones)})

    assert response.status_code == 200
    assert response.content.decode().count("Approved: checkout") == 2
    assert _statuses() == ["APPROVED", "APPROVED"]
    assert AuditEvent.objects.filter(kind="promotion.approved").count() == 2


def test_decide_one_refused_stops_no_other(client: Client, sre: User, open_ones):
    chosen = [f"{open_ones[0].pk}.{'0' * 64}", *_chosen(open_ones[1:])]
    client.force_login(sre)

    response = client.post("/pending/decide/", {"verb": "approve", "chosen": chosen})

    page = response.content.decode()
    assert response.status_code == 409
    assert "1 of 2 decided" in page
    assert "is not what stands now" in page
    assert _statuses() == ["APPROVED", "PENDING"]


def test_decide_again_changes_nothing_and_says_why(client: Client, sre: User, open_ones):
    client.force_login(sre)
    fields = {"verb": "approve", "chosen": _chosen(open_ones)}
    client.post("/pending/decide/", fields)

    response = client.post("/pending/decide/", fields)

    assert response.status_code == 409
    assert "0 of 2 decided" in response.content.decode()
    assert AuditEvent.objects.filter(kind="promotion.approved").count() == 2


def test_decide_rejects_each_with_the_one_reason(client: Client, sre: User, open_ones):
    client.force_login(sre)
    fields = {"verb": "reject", "chosen": _chosen(open_ones), "reason": REASON}

    client.post("/pending/decide/", fields)

    assert _statuses() == ["REJECTED", "REJECTED"]


def test_decide_without_a_reason_rejects_none(client: Client, sre: User, open_ones):
    client.force_login(sre)

    response = client.post("/pending/decide/", {"verb": "reject", "chosen": _chosen(open_ones)})

    assert response.status_code == 409
    assert _statuses() == ["PENDING", "PENDING"]


@pytest.mark.parametrize(
    "fields",
    [
        {"verb": "approve"},
        {"verb": "destroy", "chosen": ["x"]},
        {"verb": "approve", "chosen": ["x"]},
        {"verb": "approve", "chosen": [f"{'-' * 36}.{'0' * 64}"]},
        {"verb": "approve", "chosen": ["\x00"]},
        {"verb": "approve", "chosen": [f"{n}" for n in range(101)]},
    ],
    ids=["none", "verb", "form", "id", "nul", "too many"],
)
@pytest.mark.parametrize("address", ["/pending/review/", "/pending/decide/"])
def test_bulk_unreadable_selection_decides_nothing(
    client: Client, sre: User, address: str, fields: dict
):
    client.force_login(sre)
    sent = {"promotion": fields.get("chosen", []), **fields}

    response = client.post(address, sent)

    assert response.status_code == 400
    assert "Nothing was decided" in response.content.decode()


@pytest.mark.parametrize("address", ["/pending/review/", "/pending/decide/"])
def test_bulk_by_get_is_refused(client: Client, sre: User, address: str):
    client.force_login(sre)

    assert client.get(address).status_code == 405


def test_decide_by_a_viewer_is_refused(client: Client, viewer: User, open_ones):
    client.force_login(viewer)

    response = client.post("/pending/decide/", {"verb": "approve", "chosen": _chosen(open_ones)})

    assert response.status_code == 403
    assert _statuses() == ["PENDING", "PENDING"]


def test_decide_by_a_stranger_goes_to_sign_in(client: Client, open_ones):
    response = client.post("/pending/decide/", {"verb": "approve", "chosen": _chosen(open_ones)})

    assert response.url.startswith("/sign-in/")
    assert _statuses() == ["PENDING", "PENDING"]
