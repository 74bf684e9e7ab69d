"""What people decide and its execution, one noun a file."""

from approvals.models.access import ApiToken, IdempotencyRecord
from approvals.models.comment import Comment
from approvals.models.decision import Decision
from approvals.models.execution import Execution, ExecutionStep
from approvals.models.finding import Finding
from approvals.models.hold import Hold
from approvals.models.policy_version import PolicyVersion
from approvals.models.promotion import Promotion
from approvals.models.request import Request
from approvals.models.review import Review

__all__ = [
    "ApiToken",
    "Comment",
    "Decision",
    "Execution",
    "ExecutionStep",
    "Finding",
    "Hold",
    "IdempotencyRecord",
    "PolicyVersion",
    "Promotion",
    "Request",
    "Review",
]
