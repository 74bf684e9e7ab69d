"""Stages 2 and 3: registries are scanned, and a better tag becomes a candidate.

claiming → preparing → host_scan → repository_scan → { fetching (network) | ledger (database) }
ledger → { recording (what was said) | choosing (pure) → offering (candidates) }
"""

from updater.scanning.cycle import scan_due
from updater.scanning.explaining import fetch_for_explain
from updater.scanning.planning import ScanError, ScanSummary
from updater.scanning.rechecking import NothingToAskError, Recheck, read_tag, recheck_digest
from updater.scanning.tuning import Tuning

__all__ = [
    "NothingToAskError",
    "Recheck",
    "ScanError",
    "ScanSummary",
    "Tuning",
    "fetch_for_explain",
    "read_tag",
    "recheck_digest",
    "scan_due",
]
