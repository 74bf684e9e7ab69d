"""Stopped or taken back while a worker is at it: nothing is written, or the trail says that it was too late."""

import threading

import pytest
from django.db import connection

from approvals import decisions, verification
from approvals.execution.ledger import Ledger
from approvals.models import Execution
from tests.integration.story import targets
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.errors import PermanentError
from updater.integrations import git as git_client
from updater.integrations.kubernetes.client import ClusterClient
from updater.models import AuditEvent

REASON = "the queue is on fire"


def _by(person):
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _abort(promotion, person):
    return decisions.abort(promotion_id=promotion.pk, reason=REASON, person=person, by=_by(person))


def _take_back(promotion, person):
    return decisions.withdraw_approval(promotion_id=promotion.pk, person=person, by=_by(person))


def _kinds(promotion):
    rows = AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def _commits(outside):
    return len(outside.git.log(REPOSITORY, "main"))


def _before(monkeypatch, owner, name, work):
    """Do something once, right before a method of the product runs for the first time."""
    original, done = getattr(owner, name), []

    def first(*args, **kwargs):
        if not done:
            done.append(True)
            work()
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, first)


def _after(monkeypatch, owner, name, work):
    """Do something once, right after a method of the product ran for the first time."""
    original, done = getattr(owner, name), []

    def first(*args, **kwargs):
        result = original(*args, **kwargs)
        if not done:
            done.append(True)
            work()
        return result

    monkeypatch.setattr(owner, name, first)


def test_abort_between_the_claim_and_the_push_writes_nothing(example, sre, monkeypatch):
    promotion = approve(example.offer(), sre)
    _after(monkeypatch, Ledger, "claim", lambda: _abort(promotion, sre))

    example.execute()

    promotion.refresh_from_db()
    assert (promotion.status, promotion.commit) == ("ABORTED", "")
    assert promotion.status_reason == f"mei stopped it: {REASON}"
    assert _commits(example) == 1
    assert _kinds(promotion)[-3:] == [
        AuditKind.EXECUTION_STARTED,
        AuditKind.ABORT_REQUESTED,
        AuditKind.PROMOTION_ABORTED,
    ]
    execution = Execution.objects.get()
    assert execution.status == "ABORTED"
    assert execution.steps.get(name="Push").state == "STOPPED"


def test_abort_of_one_lets_the_other_image_of_the_commit_go(example, sre, monkeypatch):
    backend = approve(example.offer(), sre)
    frontend = approve(example.offer("main-77ab0c3", "frontend"), sre)
    _after(monkeypatch, Ledger, "claim", lambda: _abort(backend, sre))

    example.execute()

    backend.refresh_from_db()
    frontend.refresh_from_db()
    assert (backend.status, frontend.status) == ("ABORTED", "VERIFYING")
    commit = example.git.log(REPOSITORY, "main")[0]
    assert str(frontend.pk) in commit.message
    assert str(backend.pk) not in commit.message
    written = example.git.read(REPOSITORY, "main", ".argocd-source-example.yaml").decode()
    assert "main-77ab0c3" in written
    assert backend.to_tag not in written


def test_abort_during_the_push_is_too_late_and_answered(example, sre, monkeypatch):
    promotion = approve(example.offer(), sre)
    _before(monkeypatch, git_client.GitMirror, "push", lambda: _abort(promotion, sre))

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert _commits(example) == 2
    kinds = _kinds(promotion)
    assert kinds.count(AuditKind.ABORT_MISSED) == 1
    assert kinds.index(AuditKind.ABORT_REQUESTED) < kinds.index(AuditKind.ABORT_MISSED)
    with pytest.raises(decisions.PastStoppingError):
        _abort(promotion, sre)


def test_abort_after_a_crash_is_honoured_once_it_is_certain(example, sre, monkeypatch):
    promotion = approve(example.offer(), sre)
    monkeypatch.setattr(git_client.GitMirror, "push", _die)
    with pytest.raises(SystemExit):
        example.execute()
    monkeypatch.undo()
    _abort(promotion, sre)

    example.execute(holder="worker-2")

    promotion.refresh_from_db()
    assert promotion.status == "ABORTED"
    assert _commits(example) == 1


def test_abort_after_a_crash_that_had_pushed_is_answered(example, sre, monkeypatch):
    promotion = approve(example.offer(), sre)
    push = git_client.GitMirror.push

    def push_and_die(*args, **kwargs):
        push(*args, **kwargs)
        raise SystemExit

    monkeypatch.setattr(git_client.GitMirror, "push", push_and_die)
    with pytest.raises(SystemExit):
        example.execute()
    monkeypatch.setattr(git_client.GitMirror, "push", push)
    _abort(promotion, sre)

    example.execute(holder="worker-2")

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert _kinds(promotion).count(AuditKind.ABORT_MISSED) == 1


def test_abort_while_git_is_away_waits_until_it_can_look(example, sre, monkeypatch):
    promotion = approve(example.offer(), sre)
    monkeypatch.setattr(git_client.GitMirror, "push", _die)
    with pytest.raises(SystemExit):
        example.execute()
    monkeypatch.undo()
    _abort(promotion, sre)
    with monkeypatch.context() as away:
        away.setattr(git_client.GitMirror, "fetch", _unreachable)
        example.execute(holder="worker-2")
    promotion.refresh_from_db()
    assert promotion.status == "ERRORED"
    assert promotion.next_attempt_at is not None

    example.execute(holder="worker-2")

    promotion.refresh_from_db()
    assert promotion.status == "ABORTED"
    assert _commits(example) == 1


def _die(*args, **kwargs):
    raise SystemExit


def _unreachable(*args, **kwargs):
    raise git_client.RepositoryUnreachableError.of("the repository", "cut off")


def test_abort_before_the_patch_leaves_the_application_alone(outside, sre, monkeypatch):
    outside.add_example(**{targets.ANNOTATION + "write-back-method": "argocd"})
    promotion = approve(outside.offer(), sre)
    before = outside.application()["spec"]
    _after(monkeypatch, Ledger, "claim_patch", lambda: _abort(promotion, sre))

    outside.execute()

    promotion.refresh_from_db()
    assert promotion.status == "ABORTED"
    assert outside.application()["spec"] == before


def test_abort_during_the_patch_is_too_late_and_answered(outside, sre, monkeypatch):
    outside.add_example(**{targets.ANNOTATION + "write-back-method": "argocd"})
    promotion = approve(outside.offer(), sre)
    _before(monkeypatch, ClusterClient, "patch_application", lambda: _abort(promotion, sre))

    outside.execute()

    promotion.refresh_from_db()
    assert promotion.status == "VERIFYING"
    assert _kinds(promotion).count(AuditKind.ABORT_MISSED) == 1


def test_withdraw_approval_while_the_commit_is_built_keeps_it_from_going_out(
    example, sre, monkeypatch
):
    promotion = approve(example.offer(), sre)
    _before(monkeypatch, Ledger, "claim", lambda: _take_back(promotion, sre))

    example.execute()

    promotion.refresh_from_db()
    assert promotion.status == "PENDING"
    assert _commits(example) == 1
    assert not Execution.objects.exists()


def test_withdraw_approval_of_one_of_two_keeps_the_name_out_of_the_commit(
    example, sre, monkeypatch, second_approver
):
    promotion = example.offer()
    other = second_approver
    promotion = approve(promotion, sre)
    other.decisions.create(
        promotion=promotion,
        revision=promotion.revision,
        seal=promotion.seal,
        verb="APPROVE",
        identity={"username": other.username, "full_name": ""},
        at=promotion.approved_at,
    )
    _before(monkeypatch, Ledger, "claim", lambda: _take_back(promotion, sre))

    example.execute()
    promotion.refresh_from_db()
    assert (promotion.status, _commits(example)) == ("APPROVED", 1)
    example.execute()

    commit = example.git.log(REPOSITORY, "main")[0]
    assert f"Approved-by: {other.username}" in commit.message
    assert "Approved-by: Mei" not in commit.message


@pytest.mark.parametrize("verb", [_abort, _take_back], ids=["abort", "take back"])
@pytest.mark.parametrize("round_number", range(3))
def test_verb_against_the_worker_at_once_is_whole(example, sre, verb, round_number):
    promotion = approve(example.offer(), sre)
    barrier, refused = threading.Barrier(2), []

    def stop():
        try:
            barrier.wait()
            verb(promotion, sre)
        except PermanentError as error:
            refused.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=stop)
    thread.start()
    barrier.wait()
    example.execute()
    thread.join()
    example.execute()

    promotion.refresh_from_db()
    kinds = _kinds(promotion)
    is_written = _commits(example) == 2
    assert is_written == (promotion.status == "VERIFYING")
    assert promotion.status in {"VERIFYING", "ABORTED", "WITHDRAWN", "PENDING"}
    if is_written and not refused:
        assert kinds.count(AuditKind.ABORT_MISSED) == kinds.count(AuditKind.ABORT_REQUESTED) == 1
    if not is_written:
        assert not refused
    assert verification.verify(world=Connections()).findings == []
