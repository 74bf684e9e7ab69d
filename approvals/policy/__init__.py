"""Who says yes, how many, when and for how long: the policy file, merged for an Application and evaluated.

text ─ reading ─ document ─ demands ─ resolving ─ effective ─┬─ evaluation, standing   what may be decided
       (strict)  (models)   (merged)              (for one)  └─ gating                 what execution waits for
facts from the database: facts, surrounding_facts; which text stands: store; all questions of others: asking.
"""

from approvals.policy.alone import auto_approves, judge_alone, lapse_alone, waiting
from approvals.policy.asking import (
    MIN_REASON_LENGTH,
    approved_expiry,
    effective_for,
    effective_of,
    excluding,
    explain,
    explain_all,
    explain_emergency,
    gates,
    gates_of,
    is_satisfied,
    lapsed_approvers,
    min_reason_length,
    min_reason_lengths,
    min_reason_to_hold,
    missing_approvals,
    pending_expiry,
    rule_in_words,
    stricter_pin,
    unsatisfiable,
    version_of,
)
from approvals.policy.automatic import Automatic
from approvals.policy.effective import EMERGENCY, NORMAL, ROLLBACK, Effective
from approvals.policy.facts import mode_of, standing_approvals
from approvals.policy.gating import GATE_CLOSED, Gate
from approvals.policy.reading import PolicyFileError
from approvals.policy.reasons import Reason
from approvals.policy.standing import Standing
from approvals.policy.store import Policy, current, load
from approvals.policy.stored import alone_under, sealed_under
from approvals.policy.wanting import wants

__all__ = [
    "EMERGENCY",
    "GATE_CLOSED",
    "MIN_REASON_LENGTH",
    "NORMAL",
    "ROLLBACK",
    "Automatic",
    "Effective",
    "Gate",
    "Policy",
    "PolicyFileError",
    "Reason",
    "Standing",
    "alone_under",
    "approved_expiry",
    "auto_approves",
    "current",
    "effective_for",
    "effective_of",
    "excluding",
    "explain",
    "explain_all",
    "explain_emergency",
    "gates",
    "gates_of",
    "is_satisfied",
    "judge_alone",
    "lapse_alone",
    "lapsed_approvers",
    "load",
    "min_reason_length",
    "min_reason_lengths",
    "min_reason_to_hold",
    "missing_approvals",
    "mode_of",
    "pending_expiry",
    "rule_in_words",
    "sealed_under",
    "standing_approvals",
    "stricter_pin",
    "unsatisfiable",
    "version_of",
    "waiting",
    "wants",
]
