"""Stage 7: what came of a written promotion.

sweeping (what is looked at, side by side) → judging (what the Application says) → settling (what follows)
"""

from approvals.outcomes.sweeping import sweep, sweep_side_by_side

__all__ = ["sweep", "sweep_side_by_side"]
