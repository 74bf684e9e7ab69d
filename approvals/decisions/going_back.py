"""Go back to a release that succeeded here: a promotion of its own, decided by the policy's short rule."""

from collections.abc import Iterator
from uuid import UUID

from django.contrib.auth.models import User

from approvals.decisions.asking import Door, Wish, ask, asking, require_reason
from approvals.decisions.errors import NotReturnableError, PromotionNotFoundError
from approvals.decisions.verbs import Situation, Verb
from approvals.models import Promotion, Request
from approvals.permissions import Action
from approvals.policy import Reason
from approvals.queries import returning
from updater import transactions
from updater.audit import Actor


def _against(situation: Situation) -> Iterator[Reason]:
    promotion = situation.promotion
    if objection := returning.objection_to(promotion, promotion.tracked_image):
        yield Reason(objection.code, objection.sentence, fact=promotion.status_reason)


ROLL_BACK = Verb("roll_back", Action.EXECUTE, _against, error=NotReturnableError)


@transactions.repeated
def roll_back(*, promotion_id: UUID, reason: str, person: User, by: Actor) -> Request:
    """Ask for the way back to this release; whoever asks cannot approve it.

    A worker looks whether the image can still be pulled, plans and seals it. It sets aside what is open for the
    image, and what it leaves behind is not offered again (`approvals.refusals`).

    Raises:
        PromotionNotFoundError, NotAllowedError, ReasonMissingError, NotReturnableError.
    """
    release = Promotion.objects.with_target().filter(pk=promotion_id).first()
    if release is None:
        raise PromotionNotFoundError("There is no such promotion.")
    door = Door("roll back", ROLL_BACK.action, person, by, promotion=release.pk)
    with asking(release.tracked_image_id, door) as (image, at):
        release.tracked_image = image  # as it is under the lock
        ROLL_BACK.require(Situation(release, person, at))
        require_reason(image.application, reason)
        wish = Wish(
            Request.Kind.ROLLBACK,
            release.to_tag,
            release.to_digest,
            reason,
            returns_to=release,
        )
        return ask(image, wish, person=person, by=by, at=at)
