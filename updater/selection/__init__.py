"""Which tag is the newest that is allowed, and why not the others (specification 2.4 to 2.8). Pure."""

from updater.selection.model import (
    Choice,
    Rules,
    Strategy,
    StrategyError,
    TagFacts,
    Verdict,
    parse_strategy,
)

__all__ = [
    "Choice",
    "Rules",
    "Strategy",
    "StrategyError",
    "TagFacts",
    "Verdict",
    "parse_strategy",
]
