"""Writes under the fence of a held target: one in its transaction, or a few together, on rows that are locked.

A promotion that somebody else moved meanwhile is left alone; a lost lease ends the work.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from django.db import transaction

from approvals.execution import endings
from approvals.execution.start_checks import ApprovalLapsedError
from approvals.lifecycle import TransitionRefusedError
from approvals.models import Promotion
from approvals.models.promotion import PromotionQuerySet
from updater import leases, transactions
from updater.audit import Actor
from updater.leases import Grant

logger = logging.getLogger(__name__)

# One transaction each would cost more than the push; all in one would keep the trail to itself for too long.
TOGETHER = 25


class Write(Protocol):
    """What is written of one promotion, on its locked row."""

    def __call__(self, row: Promotion, /, *, at: datetime) -> None:
        """Write it; `at` is the time of the transaction."""


@dataclass(frozen=True, slots=True)
class FencedWrites:
    """What one hold on a target may write, and in whose name."""

    grant: Grant
    by: Actor

    @transactions.repeated
    def apply(self, promotion: Promotion, write: Write) -> bool:
        """Run one write under the fence on the locked row; False if somebody moved the row meanwhile."""
        rows = Promotion.objects.select_for_update(of=("self",)).with_target()
        try:
            with transaction.atomic():
                at = leases.require_current(self.grant)
                write(rows.get(pk=promotion.pk), at=at)
        except ApprovalLapsedError as error:
            self.apply(promotion, partial(endings.lapse, error=error, by=self.by))
            return False
        except TransitionRefusedError as error:
            logger.warning(
                "promotion moved meanwhile",
                extra={"promotion": str(promotion.pk), "reason": str(error)},
            )
            return False
        return True

    def apply_all(
        self, writes: Sequence[tuple[Promotion, Write]], *, rows: PromotionQuerySet
    ) -> list[Promotion]:
        """Run many writes, some in one transaction each; return the promotions that nobody moved meanwhile."""
        parts = (writes[start : start + TOGETHER] for start in range(0, len(writes), TOGETHER))
        return [row for part in parts for row in self._together(part, rows)]

    @transactions.repeated
    def _together(
        self, writes: Sequence[tuple[Promotion, Write]], rows: PromotionQuerySet
    ) -> list[Promotion]:
        locked = rows.select_for_update(of=("self",)).order_by("pk")
        try:
            with transaction.atomic():
                at = leases.require_current(self.grant)
                found = {row.pk: row for row in locked.filter(pk__in=[row.pk for row, _ in writes])}
                for promotion, write in writes:
                    write(found[promotion.pk], at=at)
        except (ApprovalLapsedError, TransitionRefusedError):
            # One of them was moved: nothing was recorded, so each again alone.
            return [promotion for promotion, write in writes if self.apply(promotion, write)]
        return [promotion for promotion, _ in writes]
