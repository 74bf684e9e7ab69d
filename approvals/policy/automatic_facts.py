"""What happened before to promotions and their digests: what was refused once is for people."""

from collections.abc import Sequence

from django.db.models import Q

from approvals.models import Decision, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy.automatic import Past

_BAD_ENDS = Q(status__in=[Status.FAILED, Status.REJECTED, Status.ABORTED]) | (
    Q(status=Status.WITHDRAWN) & ~Q(ended_by="")
)


def gather(promotions: Sequence[Promotion]) -> Past:
    """Return the past of each promotion, in two queries."""
    decided = Decision.objects.filter(promotion__in=[row.pk for row in promotions])
    ends = Promotion.objects.filter(
        _BAD_ENDS,
        tracked_image__in={row.tracked_image_id for row in promotions},
        to_digest__in={row.to_digest for row in promotions},
    )
    return Past(
        decided=frozenset(decided.values_list("promotion", flat=True)),
        ends={
            (row.tracked_image_id, row.to_digest): row.get_status_display().lower()
            for row in ends.only("tracked_image", "to_digest", "status")
        },
    )
