"""What the ledger keeps beside the ordinary way: commits nobody knows, approvals nobody gave, a sync asked for once."""

import pytest
from django.db import connection

from approvals import sealing
from approvals.execution import orphans
from approvals.models import Decision, ExecutionStep, Promotion
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY
from updater import breakers
from updater.audit import AuditKind
from updater.integrations import git, kubernetes
from updater.integrations.kubernetes import client
from updater.models import AuditEvent, Lease

MAX_QUERIES = 85  # of one execution, with its sweep


def events(kind):
    return list(AuditEvent.objects.filter(kind=kind).order_by("sequence"))


@pytest.fixture
def released(example, sre):
    promotion = approve(example.offer(), sre)
    example.execute()
    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    return promotion


def release_another(example, sre, tag):
    promotion = approve(example.offer(tag, "frontend", created="2026-11-26T10:00:00Z"), sre)
    example.execute()
    return Promotion.objects.get(pk=promotion.pk)


def forget(promotion):
    """Let the row be as an older backup has it, and how far its branch was looked at."""
    Promotion.objects.filter(pk=promotion.pk).update(
        status="EXPIRED", commit="", pushed_at=None, ended_at=promotion.approved_at
    )
    Lease.objects.update(seen_tip="")


def test_execute_finds_a_commit_whose_promotion_an_older_backup_does_not_know(
    example, sre, released
):
    forget(released)

    other = release_another(example, sre, "main-77ab0c3")
    release_another(example, sre, "main-88bc1d4")

    (alarm,) = events(AuditKind.COMMIT_ORPHANED)
    assert alarm.promotion == str(released.pk)
    assert released.commit in alarm.details
    assert "older backup" in alarm.details
    assert other.status == "VERIFYING"  # the alarm holds nobody up


@pytest.mark.parametrize("named", ["11111111-1111-4111-8111-111111111111", "none <b>at all</b>"])
def test_execute_finds_a_trailer_that_names_no_promotion_of_ours(example, sre, named):
    example.git.commit(
        REPOSITORY, "main", {"note": b"x"}, f"by hand\n\nPromotion-Id: {named}\nSeal: {'0' * 64}\n"
    )

    release_another(example, sre, "main-77ab0c3")

    (alarm,) = events(AuditKind.TRAILER_FORGED)
    assert "is not known here" in alarm.details
    assert not events(AuditKind.COMMIT_ORPHANED)


def test_execute_after_a_commit_that_claims_countless_promotions_goes_on(example, sre, monkeypatch):
    monkeypatch.setattr(orphans, "MAX_CLAIMS", 3)
    monkeypatch.setattr(orphans, "MAX_SEALS", 2)
    asked, made = [], []
    for of, name, calls in ((git.GitMirror, "diff_names", asked), (sealing, "authenticate", made)):
        monkeypatch.setattr(of, name, _noted(getattr(of, name), calls))
    claims = "".join(f"Promotion-Id: p{n}\nSeal: {n:064x}\n" for n in range(50))
    example.git.commit(REPOSITORY, "main", {"note": b"x"}, f"by hand\n\n{claims}")

    other = release_another(example, sre, "main-77ab0c3")

    assert other.status == "VERIFYING"
    assert len(events(AuditKind.TRAILER_FORGED)) == 3
    assert len(asked) == 1
    assert len([arguments for arguments in made if arguments[0].startswith("p")]) == 3 * 2


def _noted(function, calls):
    def note(*arguments, **named):
        calls.append(arguments)
        return function(*arguments, **named)

    return note


@pytest.mark.parametrize(
    ("limit", "kind"), [(4, AuditKind.COMMIT_ORPHANED), (3, AuditKind.TRAILER_FORGED)]
)
def test_execute_takes_no_commit_for_ours_that_changes_more_than_ours_would(
    example, sre, monkeypatch, limit, kind
):
    monkeypatch.setattr(orphans, "MAX_PATHS_LENGTH", limit)
    unknown, seal = "11111111-1111-4111-8111-111111111111", "0" * 64
    code = sealing.authenticate(unknown, seal, ["note"])
    trailers = f"Promotion-Id: {unknown}\nSeal: {seal}\nPromotion-MAC: {code}\n"
    example.git.commit(REPOSITORY, "main", {"note": b"x"}, f"from before\n\n{trailers}")

    release_another(example, sre, "main-77ab0c3")

    alarms = [*events(AuditKind.COMMIT_ORPHANED), *events(AuditKind.TRAILER_FORGED)]
    assert [alarm.kind for alarm in alarms] == [kind]


def test_execute_of_ordinary_releases_raises_no_alarm(example, sre, released):
    release_another(example, sre, "main-77ab0c3")
    release_another(example, sre, "main-88bc1d4")

    assert not events(AuditKind.COMMIT_ORPHANED)
    assert not events(AuditKind.TRAILER_FORGED)


def test_execute_of_one_promotion_asks_the_database_no_more_than_it_must(
    example, sre, released, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(breakers, "ANSWER_HOLDS_SECONDS", 600)  # however slow the machine is
    promotion = approve(
        example.offer("main-77ab0c3", "frontend", created="2026-11-26T10:00:00Z"), sre
    )

    with django_assert_max_num_queries(MAX_QUERIES):
        example.execute()

    assert Promotion.objects.get(pk=promotion.pk).status == "VERIFYING"


def test_c02_execute_of_an_approval_that_nobody_gave_writes_nothing_and_is_told_once(example, sre):
    promotion = approve(example.offer(), sre)
    Decision.objects.filter(promotion=promotion).update(voided_at=promotion.approved_at)

    example.execute()
    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert len(example.git.log(REPOSITORY, "main")) == 1
    assert len(events(AuditKind.EXECUTION_UNAUTHORISED)) == 1


@pytest.fixture
def out_of_sync(example, sre, settings):
    """A written release that only a sync brings out, which the operator wants to be asked for."""
    settings.REQUEST_SYNC = True
    example.patch("example", {"spec": {"syncPolicy": None}})
    promotion = approve(example.offer(), sre)
    example.execute()
    promotion.refresh_from_db()
    example.report("example", ["main-aaaaaaa"], revision=promotion.commit, sync="OutOfSync")
    example.look()
    return promotion


def sync_step(promotion):
    return ExecutionStep.objects.get(execution__promotion=promotion, name="Request sync")


def test_observe_asks_for_a_sync_once_and_keeps_it_as_a_step(example, out_of_sync):
    for _ in range(3):
        example.observe()

    step = sync_step(out_of_sync)
    assert len(events(AuditKind.SYNC_REQUESTED)) == 1
    assert (step.state, step.probed) == ("DONE", "The API server took the operation")
    assert out_of_sync.commit[:10] in step.intended


def test_observe_after_a_lost_answer_looks_before_it_asks_again(example, out_of_sync, monkeypatch):
    request = client.ClusterClient.request_sync
    asked = []

    def ask_and_lose(cluster, *arguments, **options):
        asked.append(1)
        request(cluster, *arguments, **options)
        raise kubernetes.UnknownOutcomeError("The answer was lost.")

    monkeypatch.setattr(client.ClusterClient, "request_sync", ask_and_lose)
    example.observe()
    assert sync_step(out_of_sync).state == "INTENDED"  # written before it was asked

    example.look()
    example.observe()

    assert len(asked) == 1
    assert sync_step(out_of_sync).state == "FOUND_DONE"


def test_d13_no_call_to_the_outside_is_made_inside_a_transaction(example, sre, monkeypatch):
    inside = []
    passage = breakers.passage

    def noting(*arguments, **named):
        inside.append(connection.in_atomic_block)
        return passage(*arguments, **named)

    monkeypatch.setattr(breakers, "passage", noting)
    promotion = approve(example.offer(), sre)

    example.execute()
    promotion.refresh_from_db()
    example.report("example", ["main-e1f492f"], revision=promotion.commit)
    example.look()
    example.observe()

    assert Promotion.objects.get(pk=promotion.pk).status == "SUCCEEDED"
    assert len(inside) > 10
    assert not any(inside)
