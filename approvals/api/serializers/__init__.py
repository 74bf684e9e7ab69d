"""What the API shows of each model, field by field, and what it accepts: one module for each thing it speaks of.

applications   Applications and their images
promotions     a promotion, in lists and by itself
decisions      what people, or the policy, decided on it
comments       what is said about it: shown, and accepted
standing       what the caller can do with it, its gates, and whose approval would not count
verbs          what each verb on a promotion accepts
reviews        emergencies and the reviews they owe: shown, and accepted
holds          holds: shown, and accepted
policies       the policy that stands
trail          events of the audit trail
problems       errors
strict         how strictly all input is read: unknown fields are refused, texts are texts

Those of requests and of recovery are used by one view each, and stand beside it: `api/asking.py`, `api/recovery.py`.
"""

from approvals.api.serializers.applications import ApplicationSerializer
from approvals.api.serializers.comments import CommentSerializer, MakeCommentSerializer
from approvals.api.serializers.holds import HoldSerializer, MakeHoldSerializer, ReleaseSerializer
from approvals.api.serializers.policies import PolicySerializer
from approvals.api.serializers.problems import ProblemSerializer
from approvals.api.serializers.promotions import PromotionDetailSerializer, PromotionSerializer
from approvals.api.serializers.reviews import GivenReviewSerializer, ReviewSerializer
from approvals.api.serializers.strict import StrictSerializer, TextField
from approvals.api.serializers.trail import AuditEventSerializer
from approvals.api.serializers.verbs import (
    ApproveSerializer,
    DeclareSerializer,
    FindingSerializer,
    NothingSerializer,
    RejectSerializer,
    WithReasonSerializer,
)

__all__ = [
    "ApplicationSerializer",
    "ApproveSerializer",
    "AuditEventSerializer",
    "CommentSerializer",
    "DeclareSerializer",
    "FindingSerializer",
    "GivenReviewSerializer",
    "HoldSerializer",
    "MakeCommentSerializer",
    "MakeHoldSerializer",
    "NothingSerializer",
    "PolicySerializer",
    "ProblemSerializer",
    "PromotionDetailSerializer",
    "PromotionSerializer",
    "RejectSerializer",
    "ReleaseSerializer",
    "ReviewSerializer",
    "StrictSerializer",
    "TextField",
    "WithReasonSerializer",
]
