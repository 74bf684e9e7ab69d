"""Stage 1: Applications are read from the cluster, trimmed, and their configuration understood."""

from updater.inventory.reconciling import (
    InventorySummary,
    Reading,
    follow,
    reconcile,
    take_in,
    vanish,
)

__all__ = ["InventorySummary", "Reading", "follow", "reconcile", "take_in", "vanish"]
