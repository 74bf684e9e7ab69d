"""Comments: who may write them, what they may hold, and that they change nothing."""

import json

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from approvals import decisions
from approvals.models import Comment, Promotion
from approvals.permissions import NotAllowedError
from tests import builders
from updater import audit
from updater.audit import Actor, AuditKind
from updater.models import AuditEvent


@pytest.fixture
def promotion(db):
    return builders.make_promotion()


def _comment(promotion, person, text="Seen the same on staging"):
    by = Actor(name=person.username, kind="person", via="page", user_id=person.pk)
    return decisions.comment(promotion_id=promotion.pk, text=text, person=person, by=by)


@pytest.mark.parametrize("who", ["sre", "viewer"])
@pytest.mark.parametrize("status", ["PENDING", "SUCCEEDED", "REJECTED"])
def test_comment_by_approver_or_viewer_is_kept_and_recorded_and_changes_nothing(
    who, status, request, db
):
    person = request.getfixturevalue(who)
    promotion = builders.make_promotion(status=status)
    before = Promotion.objects.filter(pk=promotion.pk).values().get()

    written = _comment(promotion, person, " Seen on staging \r\ntwice ")

    assert (written.text, written.author) == (
        "Seen on staging \ntwice",
        person.get_full_name(),
    )
    assert Promotion.objects.filter(pk=promotion.pk).values().get() == before
    event = AuditEvent.objects.get(kind=AuditKind.COMMENT_WRITTEN)
    assert (event.actor, event.promotion) == (person.username, str(promotion.pk))
    assert json.loads(event.details) == {"comment": str(written.pk), "message": written.text}


@pytest.mark.parametrize("who", ["auditor", "administrator", "outsider"])
def test_comment_by_others_is_refused_and_recorded(who, promotion, request):
    with pytest.raises(NotAllowedError):
        _comment(promotion, request.getfixturevalue(who))

    assert not Comment.objects.exists()
    assert AuditEvent.objects.get().kind == AuditKind.DECISION_REFUSED


REFUSED = {
    "nothing": "",
    "blanks": " \r\n\t",
    "too much": "x" * 4001,
    "NUL": "a\x00b",
    "half of a pair": "a\ud800b",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_comment_that_cannot_be_kept_is_refused(text, promotion, sre):
    with pytest.raises(decisions.CommentRefusedError):
        _comment(promotion, sre, text)

    assert not Comment.objects.exists()


@pytest.mark.parametrize("text", ["x", "x" * 4000, "\u202egnp.exe", "<script>alert(1)</script>"])
def test_comment_of_any_other_text_is_kept_as_written(text, promotion, sre):
    assert Comment.objects.get(pk=_comment(promotion, sre, text).pk).text == text


def test_comment_on_none_is_refused(promotion, sre):
    Promotion.objects.all().delete()

    with pytest.raises(decisions.PromotionNotFoundError):
        _comment(promotion, sre)


def test_empty_comment_is_refused_by_the_database_too(promotion, sre):
    with pytest.raises(IntegrityError, match="comment_says_something"), transaction.atomic():
        Comment.objects.create(
            promotion=promotion, text="", by=sre, author="mei", at=promotion.created_at
        )


def test_failing_audit_write_undoes_the_comment(promotion, sre, monkeypatch):
    monkeypatch.setattr(audit, "record", _fail)

    with pytest.raises(DatabaseError):
        _comment(promotion, sre)

    assert not Comment.objects.exists()


def _fail(**_):
    raise DatabaseError("disk is full")
