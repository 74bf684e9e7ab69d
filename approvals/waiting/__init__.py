"""What a promotion waits for: one list of gates for pages, API and workers.

listing ─┬─ policy.gates_of   what the policy, holds and the registry say
         ├─ sync_window       what Argo CD's project says
         ├─ reading           what a reader may be told of other Applications
         └─ machine           what the rows say about registry, Git, cluster and target
"""

from approvals.waiting.listing import (
    Known,
    awaited,
    closed_of,
    first_closed,
    gates,
    gates_of,
    is_waiting,
    standing_out,
    starting_gates,
    starting_gates_of,
)

__all__ = [
    "Known",
    "awaited",
    "closed_of",
    "first_closed",
    "gates",
    "gates_of",
    "is_waiting",
    "standing_out",
    "starting_gates",
    "starting_gates_of",
]
