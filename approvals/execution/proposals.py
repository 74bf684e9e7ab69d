"""What a pull request of ours says, the name of its branch, and what we remember of it.

Everything is fixed by the approval, so any worker proposes the same.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings

from approvals.models import Promotion
from updater.integrations.git import pull_requests
from updater.integrations.git.pull_requests import PullRequest

BRANCH_PREFIX = "countersign"
MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 30, 300  # between looks at one that waits
WAIT_SHARE = 20  # a look for every twentieth of its age: rate limits are shared by all that wait
_FENCE = re.compile(r"`{3,}")
_CUT = "\n[cut]"


class Standing(StrEnum):
    """How far a pull request has come, as we know it."""

    PROPOSED = "proposed"  # the intent: its branch may stand, it may be open
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Record:
    """What a promotion remembers of its pull request; `head_sha` is what it may bring, and nothing else."""

    host: str
    head: str
    base: str
    head_sha: str
    state: Standing
    message: str = ""
    number: int = 0
    name: str = ""
    url: str = ""
    opened_at: str = ""

    @property
    def called(self) -> str:
        """Its name in a sentence, also before it has a number."""
        return self.name or f"The pull request from {self.head}"

    def at_commit(self, sha: str) -> "Record":
        """Return the record with another commit that brings the same."""
        return replace(self, head_sha=sha)

    def seen(self, found: PullRequest, *, at: datetime) -> "Record":
        """Return the record with what the host says of it, open from now on."""
        return replace(
            self,
            state=Standing.OPEN,
            number=found.number,
            name=found.name,
            url=found.url,
            opened_at=self.opened_at or at.isoformat(),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the record as the promotion's row keeps it."""
        return asdict(self)


def record_of(promotion: Promotion) -> Record | None:
    """Return what the promotion remembers, None when nothing was ever proposed for it."""
    kept = promotion.pull_request
    return Record(**{**kept, "state": Standing(kept["state"])}) if kept else None


def waits_on_host(promotion: Promotion) -> bool:
    """Whether something on the host is to be looked at before anything else is done."""
    record = record_of(promotion)
    if record is None or record.state is Standing.CLOSED:
        return False
    return promotion.pushed_at is None


def head_branch(promotions: Sequence[Promotion]) -> str:
    """Return the branch of promotions that go out together, named from what was approved."""
    seals = sorted(promotion.seal for promotion in promotions)
    name = seals[0] if len(seals) == 1 else hashlib.sha256("".join(seals).encode()).hexdigest()
    return f"{BRANCH_PREFIX}/{promotions[0].application.name}-{name[:10]}"


def proposal(
    record: Record, promotions: Sequence[Promotion], *, labels: Sequence[str]
) -> pull_requests.Proposal:
    """Return the pull request to be opened: the message's first line, its rest, and where it was approved."""
    title, _, rest = record.message.partition("\n")
    application = promotions[0].application
    return pull_requests.Proposal(
        head=record.head,
        base=record.base,
        title=_title(title) or f"chore: update images for {application}",
        body=_body(rest.strip("\n"), promotions),
        labels=tuple(labels),
    )


def fenced(text: str) -> str:
    """Return foreign text so that no host reads it as markup, a mention or a command."""
    longest = max(map(len, _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text}\n{fence}"


def address_of(promotion: Promotion) -> str:
    """Return the promotion's page."""
    return f"{settings.PUBLIC_URL}/promotions/{promotion.pk}/"


def wait(record: Record, *, at: datetime) -> timedelta:
    """Return how long to wait for the next look: about half a minute while it is young."""
    age = (at - datetime.fromisoformat(record.opened_at)).total_seconds()
    return timedelta(seconds=min(max(age / WAIT_SHARE, MIN_WAIT_SECONDS), MAX_WAIT_SECONDS))


def _title(line: str) -> str:
    text = " ".join(line.split())
    limit = pull_requests.MAX_TITLE_LENGTH
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _body(rest: str, promotions: Sequence[Promotion]) -> str:
    approved = "\n".join(
        f"- {address_of(promotion)} (seal `{promotion.seal}`)" for promotion in promotions
    )
    note = (
        f"Approved in Countersign:\n\n{approved}\n\nIt is merged as it stands or not at all: "
        "what is pushed to this branch was not approved."
    )
    room = pull_requests.MAX_BODY_LENGTH - len(note) - 2
    shown = fenced(rest) if rest else ""
    if len(shown) > room:
        kept = room - len(shown) + len(rest) - len(_CUT)
        shown = fenced(rest[:kept] + _CUT)
    return "\n\n".join(filter(None, (shown, note)))
