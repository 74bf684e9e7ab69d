"""Which promotions a branch carries already: their trailers are looked for, and only our own MAC is believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from approvals.execution import messages
from approvals.models import Promotion
from updater.errors import PermanentError
from updater.integrations import git


class ForgedTrailerError(PermanentError):
    """A commit names this promotion, and we did not write it."""

    code = "forged_trailer"


@dataclass(frozen=True, slots=True)
class Traces:
    """The commits that carry our MAC of a promotion, and those that name its id."""

    branch: str
    ours: Mapping[str, str]
    named: Mapping[str, str]

    def commit_of(self, row: Promotion) -> str | None:
        """Return our commit for this promotion, if it stands on the branch.

        Raises:
            ForgedTrailerError: a commit carries the promotion's id without the MAC.
        """
        ours, named = self.ours.get(messages.authentication(row)), self.named.get(str(row.pk))
        if named and not ours:
            raise ForgedTrailerError(
                f"Commit {named[:10]} on {self.branch} claims this promotion and is not ours. Find out who "
                "pushed it; nothing was written."
            )
        return ours


def look(
    promotions: Sequence[Promotion],
    *,
    branch: str,
    tip: str,
    since: str | None,
    mirror: git.GitMirror,
) -> Traces:
    """Look through the commits after `since` (None: through all) for all these promotions at once."""
    codes = [messages.authentication(row) for row in promotions]
    wanted = {
        messages.PROMOTION_MAC: codes,
        messages.PROMOTION_ID: [str(row.pk) for row in promotions],
    }
    found = mirror.find_trailers(wanted, tip=tip, since=since)
    return Traces(branch, found[messages.PROMOTION_MAC], found[messages.PROMOTION_ID])
