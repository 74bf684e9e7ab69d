"""Whether the promises about executions hold: facts of the database and of Git, compared by checks that write nothing.

row_reading, branch_reading → facts → commits (I1, I2), progress (I3, I10), contents (I4), trail (I5),
heads (I5), approvers (I6), starts (I7), order (I8) → findings. The checks are pure; `running` puts them together.
"""

from approvals.verification.findings import INVARIANTS, Finding, Report, Unchecked
from approvals.verification.running import verify

__all__ = ["INVARIANTS", "Finding", "Report", "Unchecked", "verify"]
