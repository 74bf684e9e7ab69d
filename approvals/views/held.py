"""What the pages of an Application, an image or everything show of holds: those that stand, and the form for one."""

from datetime import datetime
from typing import Any

from approvals.forms import HOLD_LASTS
from approvals.queries import holds
from updater.models import Application


def context(
    application: Application, *, may_hold: bool, min_reason: int, at: datetime, alias: str = ""
) -> dict[str, Any]:
    """Return it for an Application, or with an alias for one of its images."""
    return {
        "holds_here": holds.about(application, at=at, alias=alias),
        "may_hold": may_hold and application.vanished_at is None,
        "may_release": may_hold,
        **form_context(min_reason),
    }


def form_context(min_reason: int) -> dict[str, Any]:
    """Return what the form for a hold offers and asks."""
    return {"hold_lasts": HOLD_LASTS, "min_hold_reason": max(1, min_reason)}
