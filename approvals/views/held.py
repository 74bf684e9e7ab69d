"""What the pages of an Application, an image or everything show of holds: those that stand, and the form for one."""

from collections.abc import Iterable
from typing import Any

from approvals.forms import HOLD_LASTS
from approvals.models import Hold
from updater.models import Application


def about(application: Application, standing: Iterable[Hold], *, alias: str) -> tuple[Hold, ...]:
    """Return which of the standing holds are on the image or its Application; not those on everything."""
    named = (hold for hold in standing if hold.scope != Hold.Scope.EVERYTHING)
    return tuple(hold for hold in named if hold.covers(application, alias))


def context(
    holds: tuple[Hold, ...], application: Application, *, may_hold: bool, min_reason: int
) -> dict[str, Any]:
    """Return it for an Application, or one of its images, on which these holds stand."""
    return {
        "holds_here": holds,
        "may_hold": may_hold and application.vanished_at is None,
        "may_release": may_hold,
        **form_context(min_reason),
    }


def form_context(min_reason: int) -> dict[str, Any]:
    """Return what the form for a hold offers and asks."""
    return {"hold_lasts": HOLD_LASTS, "min_hold_reason": max(1, min_reason)}
