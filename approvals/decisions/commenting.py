"""Say something about a promotion; it changes nothing and is never changed."""

from uuid import UUID

from django.contrib.auth.models import User

from approvals import lifecycle
from approvals.decisions.deciding import deciding
from approvals.decisions.errors import CommentRefusedError
from approvals.decisions.verbs import Verb
from approvals.models import Comment
from approvals.permissions import Action
from updater import audit, transactions
from updater.audit import Actor, AuditKind

MAX_COMMENT = 4000  # characters
COMMENT = Verb("comment", Action.COMMENT, lambda _: ())


@transactions.repeated
def comment(*, promotion_id: UUID, text: str, person: User, by: Actor) -> Comment:
    """Write a comment of 1 to 4,000 characters, whatever the promotion's status.

    Raises:
        NotAllowedError, PromotionNotFoundError, CommentRefusedError.
    """
    with deciding(promotion_id, COMMENT, person, by) as situation:
        promotion, at = situation.promotion, situation.at
        written = Comment.objects.create(
            promotion=promotion,
            text=_readable(text),
            by=person,
            author=person.get_full_name() or person.get_username(),
            at=at,
        )
        audit.record(
            kind=AuditKind.COMMENT_WRITTEN,
            by=by,
            subject=lifecycle.subject_of(promotion),
            details={"comment": str(written.pk), "message": written.text},
        )
    return written


def _readable(text: str) -> str:
    """Return the text as it is kept: one kind of line end, nothing around it."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not 1 <= len(kept) <= MAX_COMMENT:
        raise CommentRefusedError(
            f"A comment has 1 to {MAX_COMMENT:,} characters; this one has {len(kept):,}."
        )
    if "\x00" in kept or any("\ud800" <= sign <= "\udfff" for sign in kept):
        raise CommentRefusedError("A comment holds a sign that is none: NUL, or half of a pair.")
    return kept
