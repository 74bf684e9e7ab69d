"""Stage 6: approved promotions are carried out, never lost, never twice.

    sweep → due targets → for each: lease → revalidate and build (network, no transaction)
          → claim with intent (one transaction) → push or patch → record (one transaction) → refresh → record

A target is one Git repository and branch, or one Application for the argocd method. All due promotions of
a target go out together: one fetch, one commit per Application, one push. Targets run side by side.

What is recorded: ledger (a verb each) → fenced_writes (its transactions) → recording (attempts), endings,
setting_aside, with start_checks (what must hold at the last moment) and retrying (how long to wait).
"""

from approvals.execution.sweeping import sweep, sweep_side_by_side

__all__ = ["sweep", "sweep_side_by_side"]
