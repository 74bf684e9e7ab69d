"""Asks Argo CD to look at what was pushed now, instead of at its next turn."""

import time
from collections.abc import Iterable

from approvals.execution.ledger import Ledger
from approvals.models import Promotion
from updater.connections import Connections
from updater.crashpoints import crashpoint
from updater.errors import UpdaterError

REFRESH_SECONDS = 60.0  # for asking about what was pushed, however late it is


def refresh(promotion: Promotion, *, ledger: Ledger, world: Connections) -> None:
    """Ask Argo CD to look at the new commit now; without an answer the attempt stops and is tried again."""
    refresh_all([promotion], ledger=ledger, world=world)


def refresh_all(promotions: Iterable[Promotion], *, ledger: Ledger, world: Connections) -> None:
    """Ask Argo CD to look at all these; who could not be asked about stops and is tried again."""
    asked = []
    until = max(ledger.ends_at, time.monotonic() + REFRESH_SECONDS)
    for promotion in promotions:
        if time.monotonic() > until:
            break  # it is pushed: the next sweep finds its commit, and asks
        application = promotion.application
        try:
            crashpoint("refresh.before")
            world.cluster.refresh(
                application.namespace,
                application.name,
                stamp=str(promotion.pk),
                uid=application.uid,
            )
            crashpoint("refresh.after")
        except UpdaterError as error:
            ledger.errored([promotion], error)
        else:
            asked.append(promotion)
    ledger.refreshed(asked)
    crashpoint("finish.after")
