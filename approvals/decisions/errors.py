"""Why a verb may be refused, beside what `permissions` and `lifecycle` raise."""

from approvals.models import Promotion
from updater.errors import PermanentError


class PromotionNotFoundError(PermanentError):
    """There is no such promotion."""

    code = "not_found"


class SealChangedError(PermanentError):
    """The decision was for another subject than the one that stands now."""

    code = "seal_changed"

    def __init__(self, promotion: Promotion, *, sent_seal: str) -> None:
        super().__init__(
            f"What you saw (seal {sent_seal[:10]}) is not what stands now (seal {promotion.short_seal}). "
            "Nothing was decided; compare both and decide again."
        )
        self.promotion = promotion
        self.sent_seal = sent_seal


class ReasonMissingError(PermanentError):
    """A rejection needs a reason that helps the next reader."""

    code = "reason_missing"


class VerdictUnsuitableError(PermanentError):
    """The finding does not answer what is unknown."""

    code = "verdict_unsuitable"


class AlreadyDecidedError(PermanentError):
    """Nothing is left to decide, or this person has decided."""

    code = "already_decided"


class OwnChangeError(PermanentError):
    """Nobody approves what they asked for themselves."""

    code = "own_change"


class NothingToTakeBackError(PermanentError):
    """This person's approval does not stand."""

    code = "nothing_to_take_back"


class PastStoppingError(PermanentError):
    """It is written, or nobody knows yet whether it is: it cannot be stopped any more."""

    code = "past_stopping"


class HoldNotFoundError(PermanentError):
    """There is no such hold, or nothing of that name to hold."""

    code = "not_found"


class HoldNotPossibleError(PermanentError):
    """What was asked to be held, or until when, is none that can be."""

    code = "hold_not_possible"


class AlreadyHeldError(PermanentError):
    """A hold stands on it already: release that one first."""

    code = "already_held"


class NotHeldError(PermanentError):
    """The hold does not stand any more."""

    code = "not_held"


class CommentRefusedError(PermanentError):
    """A comment says nothing, or too much."""

    code = "comment_refused"


class NotReturnableError(PermanentError):
    """There is no way back to this release; the sentence says what is missing."""

    code = "not_returnable"


class TagNotAllowedError(PermanentError):
    """This tag cannot be asked for; the sentence names the rule or what stands in the way."""

    code = "tag_not_allowed"


class RequestNotFoundError(PermanentError):
    """There is no such request."""

    code = "not_found"


class RefusalNotFoundError(PermanentError):
    """There is no such refusal."""

    code = "not_found"


class IncidentMissingError(ReasonMissingError):
    """An emergency needs the number of its incident, on one line."""

    code = "incident_missing"


class ReviewNotFoundError(PromotionNotFoundError):
    """There is no such review."""
