"""Which tag is the newest that is allowed, and why not the others (specification 2.4 to 2.8). Pure."""

from updater.selection.choosing import select
from updater.selection.comparing import (
    is_downgrade,
    is_update,
    live_to_compare,
    new_value,
    old_value,
    written_tag,
)
from updater.selection.filtering import admit
from updater.selection.model import (
    Choice,
    Rules,
    Strategy,
    StrategyError,
    TagFacts,
    Verdict,
    parse_strategy,
)
from updater.selection.orders import (
    DEFAULT_PLATFORM,
    ConstraintMissingError,
    needs_digest,
    needs_metadata,
)

__all__ = [
    "DEFAULT_PLATFORM",
    "Choice",
    "ConstraintMissingError",
    "Rules",
    "Strategy",
    "StrategyError",
    "TagFacts",
    "Verdict",
    "admit",
    "is_downgrade",
    "is_update",
    "live_to_compare",
    "needs_digest",
    "needs_metadata",
    "new_value",
    "old_value",
    "parse_strategy",
    "select",
    "written_tag",
]
