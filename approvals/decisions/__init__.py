"""Stage 5: people decide. One function a verb; pages, API and commands call these and nothing else.

Each verb, in one transaction: lock the row, check right, expiry, seal and policy by the database's time,
write the decision, move the promotion, record it. Redis is rung after the commit and may be down.
"""

from approvals.decisions.commenting import MAX_COMMENT, comment
from approvals.decisions.emergencies import declare
from approvals.decisions.errors import (
    AlreadyDecidedError,
    AlreadyHeldError,
    CommentRefusedError,
    HoldNotFoundError,
    HoldNotPossibleError,
    IncidentMissingError,
    NotHeldError,
    NothingToTakeBackError,
    NotReturnableError,
    OwnChangeError,
    PastStoppingError,
    PromotionNotFoundError,
    ReasonMissingError,
    RefusalNotFoundError,
    RequestNotFoundError,
    ReviewNotFoundError,
    SealChangedError,
    TagNotAllowedError,
    VerdictUnsuitableError,
)
from approvals.decisions.going_back import roll_back
from approvals.decisions.holding import Target, hold, release
from approvals.decisions.lifting import lift_refusal
from approvals.decisions.offers import Offer, by_verb, offers
from approvals.decisions.recovering import finding, findings_of, look, verdicts_for
from approvals.decisions.requesting import request, withdraw_request
from approvals.decisions.reviewing import min_notes, possible_reviewers, review
from approvals.decisions.steering import abort, retry, withdraw
from approvals.decisions.verbs import Situation
from approvals.decisions.voting import approve, reject, withdraw_approval

__all__ = [
    "MAX_COMMENT",
    "AlreadyDecidedError",
    "AlreadyHeldError",
    "CommentRefusedError",
    "HoldNotFoundError",
    "HoldNotPossibleError",
    "IncidentMissingError",
    "NotHeldError",
    "NotReturnableError",
    "NothingToTakeBackError",
    "Offer",
    "OwnChangeError",
    "PastStoppingError",
    "PromotionNotFoundError",
    "ReasonMissingError",
    "RefusalNotFoundError",
    "RequestNotFoundError",
    "ReviewNotFoundError",
    "SealChangedError",
    "Situation",
    "TagNotAllowedError",
    "Target",
    "VerdictUnsuitableError",
    "abort",
    "approve",
    "by_verb",
    "comment",
    "declare",
    "finding",
    "findings_of",
    "hold",
    "lift_refusal",
    "look",
    "min_notes",
    "offers",
    "possible_reviewers",
    "reject",
    "release",
    "request",
    "retry",
    "review",
    "roll_back",
    "verdicts_for",
    "withdraw",
    "withdraw_approval",
    "withdraw_request",
]
