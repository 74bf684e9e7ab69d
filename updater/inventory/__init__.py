"""Stage 1: Applications are read from the cluster, trimmed, and their configuration understood."""

from updater.inventory.reconciling import (
    InventorySummary,
    Reading,
    forget_missing,
    reconcile,
    take_in,
    vanish,
)

__all__ = ["InventorySummary", "Reading", "forget_missing", "reconcile", "take_in", "vanish"]
