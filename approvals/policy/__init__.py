"""Who says yes, how many, when and for how long: the policy file, merged for an Application and evaluated.

text ─ reading ─ document ─ demands ─ resolving ─ effective ─┬─ evaluation, standing   what may be decided
       (strict)  (models)   (merged)              (for one)  └─ gating                 what execution waits for
facts from the database: facts, people, surrounding_facts; which text stands: store, and read once for one verb or
request: rules; all questions of others: asking.
"""

from approvals.policy.alone import auto_approves, judge_alone, lapse_alone, waiting
from approvals.policy.asking import (
    MIN_REASON_LENGTH,
    approved_expiry,
    explain,
    explain_all,
    facts_of,
    gates,
    gates_of,
    is_satisfied,
    is_satisfied_now,
    lapsed_approvers,
    min_reason_length,
    min_reason_lengths,
    min_reason_to_hold,
    missing_approvals,
    pending_expiry,
    rule_in_words,
    stand,
    stand_in_emergency,
    stricter_pin,
    unsatisfiable,
)
from approvals.policy.automatic import Automatic
from approvals.policy.effective import EMERGENCY, NORMAL, ROLLBACK, Effective
from approvals.policy.evaluation import Facts
from approvals.policy.facts import mode_of, standing_approvals
from approvals.policy.gating import GATE_CLOSED, Gate
from approvals.policy.reading import PolicyFileError
from approvals.policy.reasons import Reason
from approvals.policy.rules import (
    Rules,
    effective_as_read,
    effective_for,
    effective_of,
    excluding,
    rules_as_read,
    rules_for,
    rules_of,
    version_of,
)
from approvals.policy.standing import Standing
from approvals.policy.store import Policy, current, load
from approvals.policy.stored import alone_under, sealed_under
from approvals.policy.surrounding_facts import NOTHING_READ, Read, standing_holds
from approvals.policy.wanting import wants

__all__ = [
    "EMERGENCY",
    "GATE_CLOSED",
    "MIN_REASON_LENGTH",
    "NORMAL",
    "NOTHING_READ",
    "ROLLBACK",
    "Automatic",
    "Effective",
    "Facts",
    "Gate",
    "Policy",
    "PolicyFileError",
    "Read",
    "Reason",
    "Rules",
    "Standing",
    "alone_under",
    "approved_expiry",
    "auto_approves",
    "current",
    "effective_as_read",
    "effective_for",
    "effective_of",
    "excluding",
    "explain",
    "explain_all",
    "facts_of",
    "gates",
    "gates_of",
    "is_satisfied",
    "is_satisfied_now",
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
    "rules_as_read",
    "rules_for",
    "rules_of",
    "sealed_under",
    "stand",
    "stand_in_emergency",
    "standing_approvals",
    "standing_holds",
    "stricter_pin",
    "unsatisfiable",
    "version_of",
    "waiting",
    "wants",
]
