"""Why an action is off, as a tree: rule, fact and its age, who can change it, when it may change itself. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause in a full sentence, with what stands behind it."""

    code: str
    sentence: str
    rule: str = ""  # the rules of the policy that ask for it
    fact: str = ""  # what was looked at
    fact_at: datetime | None = None  # when that was seen
    who: str = ""  # who can change it
    changes_at: datetime | None = None  # when it may change by itself
    because: tuple["Reason", ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the tree as JSON values; what is empty is left out."""
        values: dict[str, Any] = {
            "code": self.code,
            "sentence": self.sentence,
            "rule": self.rule,
            "fact": self.fact,
            "fact_at": self.fact_at and self.fact_at.isoformat(),
            "who": self.who,
            "changes_at": self.changes_at and self.changes_at.isoformat(),
            "because": [reason.as_dict() for reason in self.because],
        }
        return {key: value for key, value in values.items() if value}
