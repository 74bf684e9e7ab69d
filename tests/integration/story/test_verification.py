"""`verify executions` over real rows and a real Git host: nothing to say about honest work, and each lie is found."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from approvals import verification
from approvals.models import Decision, Hold, Promotion
from tests import roles
from tests.integration.git.scene import plain_git
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY, Outside
from updater import chain
from updater.connections import Connections
from updater.integrations.git import process
from updater.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)
PATH = ".argocd-source-example.yaml"


@pytest.fixture
def written(example: Outside, sre) -> Promotion:
    """One image promoted, from the push to Healthy."""
    promotion = approve(example.offer(), sre)
    example.execute()
    promotion.refresh_from_db()
    example.report("example", ["main-e1f492f"], revision=promotion.commit)
    example.look()
    example.observe()
    promotion.refresh_from_db()
    assert promotion.status == "SUCCEEDED", promotion.status_reason
    return promotion


def found(invariant: str = "") -> list[str]:
    report = verification.verify(world=Connections())
    assert report.unchecked == []
    chosen = [item for item in report.findings if invariant in ("", item.invariant)]
    return [f"{item.invariant} {item.about}: {item.sentence}" for item in chosen]


def commit_as_ours(outside: Outside, message: str, files: dict[str, str]) -> None:
    """Push a commit from outside under our name."""
    path = outside.git.repositories.path(REPOSITORY)
    tip = plain_git(path, "rev-parse", "main").strip()
    plain_git(path, "read-tree", "main")
    for name, text in files.items():
        (path / "loose").write_text(text, encoding="utf-8")
        blob = plain_git(path, "hash-object", "-w", str(path / "loose")).strip()
        plain_git(path, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
    tree = plain_git(path, "write-tree").strip()
    us = ("-c", "user.name=countersign", "-c", "user.email=countersign@localhost")
    sha = plain_git(path, *us, "commit-tree", tree, "-p", tip, "-m", message).strip()
    plain_git(path, "update-ref", "refs/heads/main", sha)


def message_of(outside: Outside, promotion: Promotion) -> str:
    path = outside.git.repositories.path(REPOSITORY)
    return plain_git(path, "log", "-1", "--format=%B", promotion.commit)


def content_of(outside: Outside, revision: str = "main") -> str:
    path = outside.git.repositories.path(REPOSITORY)
    return plain_git(path, "show", f"{revision}:{PATH}")


def test_verify_after_honest_work_finds_nothing(written: Promotion):
    assert found() == []


def test_verify_before_anything_was_promoted_finds_nothing(example: Outside):
    assert found() == []


def test_verify_while_one_waits_for_its_worker_finds_nothing(example: Outside, sre):
    approve(example.offer(), sre)

    assert found() == []


def test_verify_a_commit_under_our_name_without_a_promotion_is_found(example, written):
    commit_as_ours(example, "a quiet change", {"README.md": "hello\n"})

    [finding] = found()

    assert finding.startswith("I2 commit")
    assert "names no promotion" in finding


def test_verify_a_promotion_written_twice_is_found(example, written):
    again = content_of(example).replace("main-e1f492f", "main-aaaaaaa")
    commit_as_ours(example, message_of(example, written), {PATH: again})

    assert any("written 2 times" in text for text in found("I1"))
    assert any("not the approved main-e1f492f" in text for text in found("I4"))


def test_verify_a_trailer_of_somebody_else_is_found(example, written):
    forged = f"mine\n\nPromotion-Id: {written.pk}\nPromotion-MAC: {'0' * 64}\n"
    commit_as_ours(example, forged, {"README.md": "hello\n"})

    assert any("without our authentication" in text for text in found("I2"))
    assert any("changes README.md, which nobody approved" in text for text in found("I4"))


def test_verify_a_commit_that_vanished_from_its_branch_is_found(example, written):
    path = example.git.repositories.path(REPOSITORY)
    plain_git(path, "update-ref", "refs/heads/main", f"{written.commit}~1")

    findings = found("I1")

    assert any("is not part of main" in text for text in findings)
    assert any("No commit on main carries it" in text for text in findings)


@contextmanager
def as_owner_of_the_table() -> Iterator[CursorWrapper]:
    with roles.as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE updater_auditevent DISABLE TRIGGER audit_refuse_change")
        try:
            yield cursor
        finally:
            cursor.execute(
                "ALTER TABLE updater_auditevent ENABLE ALWAYS TRIGGER audit_refuse_change"
            )


def test_verify_a_changed_row_of_the_trail_is_found(written):
    with as_owner_of_the_table() as cursor:
        cursor.execute("UPDATE updater_auditevent SET actor = 'other' WHERE sequence = 3")

    assert any("event 3: The chain" in text for text in found("I5"))


def approval(promotion: Promotion) -> int:
    events = AuditEvent.objects.filter(promotion=str(promotion.pk), kind="promotion.approved")
    return events.get().sequence


def test_verify_p18_a_trail_cut_off_at_its_end_is_found_by_what_git_knows(written):
    head = approval(written)
    with as_owner_of_the_table() as cursor:
        cursor.execute("DELETE FROM updater_auditevent WHERE sequence >= %s", [head])

    assert chain.verify().broken_at is None  # the chain alone tells nothing
    assert any(f"knows event {head}, and the trail ends at" in text for text in found("I5"))


def test_verify_p18_a_trail_numbered_anew_without_a_row_is_found_by_what_git_knows(written):
    gone = AuditEvent.objects.exclude(promotion=str(written.pk)).first().sequence
    with as_owner_of_the_table() as cursor:
        cursor.execute("DELETE FROM updater_auditevent WHERE sequence = %s", [gone])
        chain_anew(after=gone)

    assert chain.verify().broken_at is None
    assert any(f"another event {approval(written) + 1}" in text for text in found("I5"))


def chain_anew(after: int) -> None:
    """Close the gap that was left at a number, with fresh hashes, as somebody who knows the chain would."""
    before = AuditEvent.objects.filter(sequence=after - 1).first()
    previous = before.hash if before else ""
    for event in AuditEvent.objects.filter(sequence__gt=after).order_by("sequence"):
        number, event.sequence, event.previous_hash = event.sequence, event.sequence - 1, previous
        previous = chain.hash_of(event)
        AuditEvent.objects.filter(sequence=number).update(
            sequence=number - 1, previous_hash=event.previous_hash, hash=previous
        )


def test_verify_values_out_of_the_order_of_approval_are_found(example, written, sre):
    second = approve(example.offer("main-ccccccc"), sre)
    example.execute()
    earlier = written.approved_at - timedelta(hours=1)
    Promotion.objects.filter(pk=second.pk).update(approved_at=earlier)

    assert any("approved later" in text for text in found("I8"))


def change(promotion: Promotion, **columns) -> None:
    Promotion.objects.filter(pk=promotion.pk).update(**columns)


def take_the_approval_away(promotion: Promotion) -> None:
    promotion.decisions.update(voided_at=promotion.approved_at, void_reason="gone")


def take_the_role_away(promotion: Promotion) -> None:
    decision = Decision.objects.get(promotion=promotion)
    decision.identity["roles"] = ["viewer"]
    decision.save()


def hold_before(promotion: Promotion) -> None:
    before = promotion.approved_at - timedelta(minutes=5)
    Hold.objects.create(scope="everything", reason="incident", by="mei", at=before)


LIES = {
    "never approved": (
        lambda row: change(row, status="REJECTED", approved_at=None),
        "I2",
        "was not approved",
    ),
    "lost": (
        lambda row: change(row, status="APPROVED", next_attempt_at=None),
        "I3",
        "no attempt is due",
    ),
    "told otherwise": (
        lambda row: change(row, status="FAILED", status_reason="no"),
        "I5",
        "It is FAILED, and the trail leads to SUCCEEDED",
    ),
    "too few": (take_the_approval_away, "I6", "needed 1 of"),
    "no role": (take_the_role_away, "I6", "without a role that may"),
    "own request": (lambda row: change(row, requested_by="mei"), "I6", "asked for it and approved"),
    "another seal": (
        lambda row: row.decisions.update(seal="0" * 64),
        "I6",
        "approved another seal",
    ),
    "held": (hold_before, "I7", "held: mei: incident"),
    "expired": (
        lambda row: change(row, expires_at=row.approved_at),
        "I7",
        "after its approval expired",
    ),
    "another digest": (
        lambda row: change(row, to_digest="sha256:" + "0" * 64),
        "I7",
        "is not the sealed",
    ),
    "without a reason": (
        lambda row: change(row, status="FAILED", status_reason=""),
        "I10",
        "without a reason",
    ),
}


def test_verify_of_rows_that_lie_finds_each_lie(written):
    for name, (lie, invariant, words) in LIES.items():
        with transaction.atomic():
            lie(written)
            sentences = found(invariant)
            transaction.set_rollback(True)
        assert any(words in text for text in sentences), (name, sentences)
    assert found() == []


def test_verify_an_application_that_runs_something_else_is_found(example, written):
    example.report("example", ["main-zzzzzzz"], revision="main")
    example.look()

    assert any("not the approved main-e1f492f" in text for text in found("I10"))


def test_verify_many_commits_takes_as_many_git_processes_as_one(example, written, monkeypatch):
    commands, run = [], process.run
    monkeypatch.setattr(
        process, "run", lambda *args, **options: commands.append(args) or run(*args, **options)
    )
    verification.verify(world=Connections())
    few = len(commands)
    for number in range(20):
        commit_as_ours(example, f"quiet change {number}", {f"{number}.md": f"hello {number}\n"})
    verification.verify(world=Connections())  # the new contents are fetched
    commands.clear()

    findings = found("I2")

    assert len(findings) == 20
    assert 0 < len(commands) <= few


def test_verify_command_with_a_finding_exits_with_one_and_says_it_as_json(example, written):
    commit_as_ours(example, "a quiet change", {"README.md": "hello\n"})
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("verify", "executions", "--json", stdout=out)

    assert ended.value.code == 1
    assert [item["invariant"] for item in json.loads(out.getvalue())["findings"]] == ["I2"]


def test_verify_command_prints_nothing_that_would_move_the_terminal(example, written):
    hidden = "\x1b[2J\x1b[H\u202eAll holds."
    commit_as_ours(example, f"mine\n\nPromotion-Id: {hidden}\n", {"README.md": "hello\n"})
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("verify", "executions", stdout=out)

    assert (
        "names promotion \\x1b[2J\\x1b[H\\u202eAll holds., which does not exist" in out.getvalue()
    )
    assert all(line.isprintable() for line in out.getvalue().splitlines())


def test_verify_command_without_the_git_host_exits_with_two_and_says_what_it_missed(
    example, written
):
    example.git.stop()
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("verify", "executions", stdout=out)

    assert ended.value.code == 2
    assert "not checked: main of" in out.getvalue()


def test_verify_command_when_all_holds_says_so(written):
    out = StringIO()

    call_command("verify", "executions", stdout=out)

    assert out.getvalue().rstrip().endswith("All holds.")


def test_verify_command_for_the_trail_counts_its_events(written):
    out = StringIO()

    call_command("verify", "audit", stdout=out)

    assert "events verified, head" in out.getvalue()
