"""The recovery page: what is stuck, why, who holds it, and only actions that look first."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from approvals.models import Promotion
from approvals.presenters import runbooks
from tests import builders
from updater.audit import AuditKind
from updater.models import AuditEvent, Breaker, Lease

ADDRESS = "/recovery/"
EVIDENCE = "git log origin/main shows no commit with this Promotion-Id"


@pytest.fixture
def see(client: Client, sre):
    def get(person=sre, address=ADDRESS):
        client.force_login(person)
        response = client.get(address)
        assert response.status_code == 200
        return response.content.decode()

    return get


def make_unknown(**changes):
    long_ago = timezone.now() - timedelta(minutes=5)
    row = builders.make_promotion(
        status="UNKNOWN", status_at=long_ago, status_reason="The answer was lost.", **changes
    )
    execution = builders.make_execution(
        row, ended_at=long_ago, status="UNKNOWN", intended_commit="c" * 40, base_commit="b" * 40
    )
    builders.make_step(
        execution, "Push", state="STOPPED", intended="main: bbbb → cccc", probed="no answer"
    )
    Lease.objects.create(
        target=execution.target, holder="execute-7:4711", fence=418, expires_at=None
    )
    return row


def test_recovery_without_anything_stuck_says_so(see):
    assert "Nothing is stuck" in see()


def test_recovery_of_an_unknown_one_shows_steps_lease_and_actions(see):
    make_unknown()

    page = see()

    for text in (
        "The answer was lost.", "main: bbbb → cccc", "no answer", "released, fence 418",
        "Look again now", "Say what you found", "Needs a person", "/recovery/runbooks/unknown/",
    ):  # fmt: skip
        assert text in page


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"status": "ERRORED", "next_attempt_at": None}, True),
        ({"status": "ERRORED", "next_attempt_at": timezone.now()}, True),
        ({"status": "EXECUTING", "status_at": timezone.now() - timedelta(minutes=11)}, True),
        ({"status": "EXECUTING", "status_at": timezone.now() - timedelta(minutes=2)}, False),
        ({"status": "APPROVED", "error_code": "host_resting"}, True),
        ({"status": "APPROVED", "error_code": "gate_closed"}, False),
        ({"status": "APPROVED"}, False),
        ({"status": "PENDING"}, False),
        ({"status": "SUCCEEDED"}, False),
    ],
)
def test_recovery_shows_what_does_not_move_on_and_nothing_else(see, changes, shown):
    row = builders.make_promotion(**changes)

    assert (str(row.pk) in see()) is shown


def test_recovery_shows_silent_hosts_with_since_and_next_look(see):
    breaker = builders.make_breaker("git.example.com")
    builders.make_breaker("quiet.example.com", failures=2)

    page = see()

    assert "Git host git.example.com" in page
    assert f"{breaker.retry_at:%H:%M:%S}" in page
    assert "quiet.example.com" not in page
    assert "/recovery/runbooks/git-host-down/" in page


def test_recovery_shows_a_forged_trailer_as_an_alarm(see):
    row = builders.make_promotion(status="APPROVED", error_code="forged_trailer")
    builders.make_event(
        AuditKind.TRAILER_FORGED, promotion=row, reason="Commit 0123456789 <b>is not ours</b>"
    )

    page = see()

    assert "pretends to be ours" in page
    assert "&lt;b&gt;is not ours" in page
    assert page.count("/recovery/runbooks/forged-trailer/") == 2  # the case, and the alarm


def test_recovery_for_a_viewer_offers_no_action(see, viewer):
    make_unknown()

    page = see(viewer)

    assert "An approver can act here." in page
    assert "Look again now" not in page


def test_top_bar_counts_what_needs_a_person(see):
    assert "Recovery <b>" not in see(address="/")
    make_unknown()
    builders.make_promotion(status="ERRORED", next_attempt_at=None)
    builders.make_promotion(status="ERRORED", next_attempt_at=timezone.now())

    assert "Recovery <b>2</b>" in see(address="/")


def test_look_makes_it_due_now(client: Client, sre):
    row = make_unknown(next_attempt_at=timezone.now() + timedelta(minutes=9))
    client.force_login(sre)

    response = client.post(f"/promotions/{row.pk}/look/")

    assert response.url == ADDRESS
    assert Promotion.objects.get(pk=row.pk).next_attempt_at <= timezone.now()
    event = AuditEvent.objects.get(kind=AuditKind.LOOK_REQUESTED)
    assert (event.actor, event.promotion) == ("mei", str(row.pk))


def test_look_at_what_is_over_is_refused_with_the_reason(client: Client, sre):
    row = builders.make_promotion(status="SUCCEEDED")
    client.force_login(sre)

    page = client.post(f"/promotions/{row.pk}/look/", follow=True).content.decode()

    assert "no worker has anything to look for" in page
    assert AuditEvent.objects.filter(kind=AuditKind.DECISION_REFUSED).count() == 1


def test_finding_of_two_people_settles_it(client: Client, sre):
    row, other = make_unknown(), builders.make_person("tomas", role="approver")
    sent = {"verdict": "not_written", "evidence": EVIDENCE}
    client.force_login(sre)
    assert (
        "What did you find outside?"
        in client.get(f"/promotions/{row.pk}/finding/").content.decode()
    )

    client.post(f"/promotions/{row.pk}/finding/", sent)
    client.post(f"/promotions/{row.pk}/finding/", sent)  # the same person counts once
    row.refresh_from_db()
    assert row.status == "UNKNOWN"
    client.force_login(other)
    assert EVIDENCE in client.get(f"/promotions/{row.pk}/finding/").content.decode()
    client.post(f"/promotions/{row.pk}/finding/", sent)

    row.refresh_from_db()
    assert (row.status, row.next_attempt_at) == ("ERRORED", None)
    assert "mei and tomas" in row.status_reason


def test_finding_without_evidence_or_verdict_asks_again(client: Client, sre):
    row = make_unknown()
    client.force_login(sre)

    nothing = client.post(f"/promotions/{row.pk}/finding/", {})
    short = client.post(f"/promotions/{row.pk}/finding/", {"verdict": "written", "evidence": "yes"})
    other = client.post(f"/promotions/{row.pk}/finding/", {"verdict": "runs", "evidence": EVIDENCE})

    assert (nothing.status_code, short.status_code, other.status_code) == (400, 409, 409)
    assert not row.findings.exists()


def test_runbook_that_does_not_exist_is_not_found(client: Client, viewer):
    client.force_login(viewer)

    assert client.get("/recovery/runbooks/no-such/").status_code == 404


@pytest.mark.parametrize("name", runbooks.names())
def test_runbook_has_its_four_parts_and_is_shown(see, name):
    blocks = runbooks.read(name)
    headings = [block.text for block in blocks if block.kind == "heading"]

    assert blocks[0].kind == "title"
    assert headings == [
        "What it means", "What the product does by itself", "What to do", "What never to do",
    ]  # fmt: skip
    assert "What never to do" in see(address=f"/recovery/runbooks/{name}/")


def test_runbooks_of_all_codes_breakers_and_alarms_exist():
    named = {
        *runbooks._BY_CODE.values(), *runbooks._BY_ALARM.values(),
        *(runbooks.for_breaker(kind) for kind in Breaker.Kind.values),
        runbooks.for_error("anything"), runbooks.for_error("", is_unknown=True),
        runbooks.for_error("", is_slow=True),
    }  # fmt: skip

    assert named <= set(runbooks.names())


def test_api_recovery_tells_the_same(client: Client, sre):
    row = make_unknown()
    builders.make_breaker()
    builders.make_event(AuditKind.TRAILER_FORGED, promotion=row, reason="not ours")
    client.force_login(sre)

    document = client.get("/api/v1/recovery").json()

    (case,) = document["cases"]
    assert document["needs_person"] == 1
    assert (case["promotion"]["id"], case["needs_person"]) == (str(row.pk), True)
    assert case["attempt"]["steps"][0]["intended"] == "main: bbbb → cccc"
    assert case["lease"] == {"holder": "execute-7:4711", "fence": 418, "expires_at": None}
    assert document["breakers"][0]["runbook"] == "git-host-down"
    assert document["alarms"][0]["kind"] == "trailer.forged"
