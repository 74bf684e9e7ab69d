"""Decisions from the promotion's page: what is posted, what is answered, what stands afterwards."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals import sealing
from approvals.models import Decision, Promotion
from tests import builders
from updater.models import AuditEvent, Candidate, Refusal

REASON = "Doubles the p99 of /pay on staging"


@pytest.fixture
def promotion(db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image))


def _post(client: Client, promotion: Promotion, verb: str, **fields: str):
    values = {"seal": promotion.seal, **fields}
    return client.post(f"/promotions/{promotion.pk}/{verb}/", values)


def _move_digest(promotion: Promotion, word: str) -> None:
    """Push the same tag again: the candidate has another digest now."""
    Candidate.objects.filter(pk=promotion.candidate_id).update(digest=builders.digest(word))


def test_approve_takes_the_decision_and_tells_it(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = _post(client, promotion, "approve", reason="Seen on staging")

    assert (response.status_code, response.url) == (302, f"/promotions/{promotion.pk}/")
    page = client.get(response.url).content.decode()
    assert "Approved: checkout / web goes to main-e1f492f" in page
    decision = Decision.objects.get()
    assert (decision.by, decision.seal, decision.reason) == (sre, promotion.seal, "Seen on staging")
    event = AuditEvent.objects.get(kind="promotion.approved")
    assert (event.actor, event.via, event.address) == ("mei", "page", "127.0.0.1")
    assert event.request_id


def test_approve_twice_is_refused_with_the_reason_and_changes_nothing(
    client: Client, sre: User, promotion
):
    client.force_login(sre)
    _post(client, promotion, "approve")

    response = _post(client, promotion, "approve")

    assert response.status_code == 409
    assert "approved" in response.content.decode().lower()
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
@pytest.mark.parametrize("verb", ["approve", "retry"])
def test_w03_decision_by_another_method_is_refused(
    client: Client, sre: User, promotion, verb: str, method: str
):
    client.force_login(sre)

    response = getattr(client, method)(f"/promotions/{promotion.pk}/{verb}/")

    promotion.refresh_from_db()
    assert (response.status_code, promotion.status) == (405, "PENDING")


@pytest.mark.parametrize("verb", ["approve", "reject", "retry", "withdraw"])
def test_w01_decision_without_csrf_token_is_refused(sre: User, promotion, verb: str):
    client = Client(enforce_csrf_checks=True)
    client.force_login(sre)

    response = _post(client, promotion, verb, reason=REASON)

    promotion.refresh_from_db()
    assert (response.status_code, promotion.status) == (403, "PENDING")
    assert "This form is not valid any more" in response.content.decode()


@pytest.mark.parametrize("verb", ["approve", "reject", "retry", "withdraw"])
def test_decision_by_a_viewer_is_refused_named_and_recorded(
    client: Client, viewer: User, promotion, verb: str
):
    client.force_login(viewer)

    response = _post(client, promotion, verb, reason=REASON)

    promotion.refresh_from_db()
    assert (response.status_code, promotion.status) == (403, "PENDING")
    assert "role approver" in response.content.decode()
    event = AuditEvent.objects.get(kind="decision.refused")
    assert (event.actor, event.promotion) == ("jonas", str(promotion.pk))


def test_decision_by_a_stranger_goes_to_sign_in(client: Client, promotion):
    response = _post(client, promotion, "approve")

    promotion.refresh_from_db()
    assert response.url.startswith("/sign-in/?next=%2F")
    assert promotion.status == "PENDING"


def test_approve_own_change_is_refused(client: Client, sre: User, promotion):
    Promotion.objects.filter(pk=promotion.pk).update(requested_by="mei")
    client.force_login(sre)

    response = _post(client, promotion, "approve")

    assert response.status_code == 403
    assert "somebody else must approve it" in response.content.decode()


def test_w18_approve_after_the_tag_moved_shows_both_digests(client: Client, sre: User, promotion):
    _move_digest(promotion, "pushed again")
    client.force_login(sre)

    response = _post(client, promotion, "approve")

    page = response.content.decode()
    assert response.status_code == 409
    assert promotion.to_digest in page
    assert builders.digest("pushed again") in page
    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert Decision.objects.count() == 0


def test_w18_approve_of_a_twice_moved_tag_compares_what_was_seen_with_what_stands(
    client: Client, sre: User, promotion
):
    seen = promotion.seal
    client.force_login(sre)
    _move_digest(promotion, "second")
    _post(client, promotion, "approve", seal=seen)
    _move_digest(promotion, "third")

    page = _post(client, promotion, "approve", seal=seen).content.decode()

    comparison = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert promotion.to_digest in comparison
    assert builders.digest("third") in comparison
    assert builders.digest("second") not in comparison


def test_approve_with_a_seal_that_never_was_is_refused(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = _post(client, promotion, "approve", seal="0" * 64)

    assert response.status_code == 409
    assert "was never one of this promotion" in response.content.decode()


@pytest.mark.parametrize("seal", ["", "x", "0" * 63, "0" * 65, "G" * 64, "\x00" * 64], ids=ascii)
def test_approve_with_an_unreadable_seal_is_refused(
    client: Client, sre: User, promotion, seal: str
):
    client.force_login(sre)

    response = _post(client, promotion, "approve", seal=seal)

    promotion.refresh_from_db()
    assert (response.status_code, promotion.status) == (400, "PENDING")


def test_w07_extra_fields_change_nothing(client: Client, sre: User, promotion):
    client.force_login(sre)

    _post(client, promotion, "approve", by="luca", digest="sha256:0", status="SUCCEEDED")

    decision = Decision.objects.get()
    assert (decision.by, decision.promotion.to_digest) == (sre, promotion.to_digest)


def test_reject_refuses_the_digest_for_as_long_as_asked(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = _post(client, promotion, "reject", reason=REASON, scope="UNTIL_NEWER")

    promotion.refresh_from_db()
    assert (response.status_code, promotion.status) == (302, "REJECTED")
    refusal = Refusal.objects.get()
    assert (refusal.scope, refusal.reason, refusal.by) == ("UNTIL_NEWER", REASON, "mei")
    assert REASON in client.get(response.url).content.decode()


def test_reject_has_a_page_of_its_own(client: Client, sre: User, promotion):
    client.force_login(sre)

    page = client.get(f"/promotions/{promotion.pk}/reject/").content.decode()

    assert f'value="{promotion.seal}"' in page
    assert "Do not offer again" in page


def test_reject_without_a_reason_keeps_what_was_typed(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = _post(client, promotion, "reject", reason="bad", scope="UNTIL_NEWER")

    page = response.content.decode()
    assert response.status_code == 409
    assert "at least 10 characters" in page
    assert ">bad</textarea>" in page
    assert Promotion.objects.get().status == "PENDING"


def test_reject_with_an_unknown_scope_is_refused(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = _post(client, promotion, "reject", reason=REASON, scope="FOREVER")

    assert response.status_code == 400
    assert Refusal.objects.count() == 0


def test_retry_makes_an_errored_promotion_due(client: Client, sre: User):
    errored = builders.make_promotion(status="ERRORED")
    client.force_login(sre)

    response = _post(client, errored, "retry")

    errored.refresh_from_db()
    assert response.url == f"/promotions/{errored.pk}/execution/"
    assert errored.next_attempt_at is not None


def test_retry_of_a_pending_one_is_refused_with_the_reason(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = _post(client, promotion, "retry")

    assert response.status_code == 409
    assert "Only an errored promotion can be retried" in response.content.decode()


def test_withdraw_takes_it_off_the_table(client: Client, sre: User, promotion):
    client.force_login(sre)

    response = _post(client, promotion, "withdraw", reason="Proposed for the wrong cluster")

    promotion.refresh_from_db()
    assert (response.status_code, promotion.status) == (302, "WITHDRAWN")


def test_withdraw_has_a_page_of_its_own(client: Client, sre: User, promotion):
    client.force_login(sre)

    page = client.get(f"/promotions/{promotion.pk}/withdraw/").content.decode()

    assert "Nothing is written" in page


@pytest.mark.parametrize("verb", ["approve", "reject", "retry", "withdraw"])
def test_decision_on_what_does_not_exist_is_not_found(client: Client, sre: User, verb: str):
    client.force_login(sre)

    fields = {"seal": "0" * 64, "reason": REASON, "scope": "DIGEST"}
    response = client.post(f"/promotions/{uuid4()}/{verb}/", fields)

    assert response.status_code == 404


def test_conflict_page_names_fields_as_the_seal_does(client: Client, sre: User, promotion):
    _move_digest(promotion, "pushed again")
    client.force_login(sre)

    page = _post(client, promotion, "approve").content.decode()

    assert f'<th scope="row">{sealing.FIELD_NAMES["digest"]}</th>' in page
