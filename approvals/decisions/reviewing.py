"""Review an emergency afterwards: by somebody who had no hand in it, once, with notes."""

from collections.abc import Iterable, Iterator

from django.contrib.auth.models import User

from approvals import lifecycle, permissions, policy
from approvals.decisions.deciding import deciding
from approvals.decisions.errors import ReasonMissingError, ReviewNotFoundError
from approvals.decisions.verbs import Situation, Verb
from approvals.models import Promotion, Review
from approvals.permissions import Action
from approvals.policy import Reason
from updater import audit, transactions
from updater.audit import Actor, AuditKind
from updater.models import Application

_OWN = "somebody else must review it."


def _against_reviewing(situation: Situation) -> Iterator[Reason]:
    promotion, person = situation.promotion, situation.person
    owed = _review_of(promotion)
    if owed is None:
        yield Reason("no_review", "It is no emergency, so no review is owed.")
    elif owed.given_by is not None:
        sentence = f"{owed.given_by} reviewed it already."
        yield Reason("reviewed", sentence, fact=owed.verdict, fact_at=owed.given_at)
    elif owed.declared_by_id == person.pk:
        yield Reason("own_emergency", f"You declared this emergency; {_OWN}", who="somebody else")
    elif person.pk in _approvers(promotion):
        yield Reason("own_emergency", f"Your approval counted; {_OWN}", who="somebody else")


REVIEW = Verb("review_emergency", Action.REVIEW, _against_reviewing)


@transactions.repeated
def review(
    *, review_id: int, verdict: Review.Verdict, notes: str, person: User, by: Actor
) -> Review:
    """Give the review that an emergency owes.

    Raises:
        ReviewNotFoundError, NotAllowedError, OwnChangeError, AlreadyDecidedError, ReasonMissingError.
    """
    found = Review.objects.filter(pk=review_id).first()
    if found is None:
        raise ReviewNotFoundError("There is no such review.")
    with deciding(found.promotion_id, REVIEW, person, by) as situation:
        promotion, at = situation.promotion, situation.at
        needed = min_notes([promotion.application])[promotion.application_id]
        if len(notes.strip()) < needed:
            raise ReasonMissingError(f"Give notes of at least {needed} characters.")
        found.verdict, found.notes = verdict, notes.strip()
        found.given_by, found.given_at = person, at
        found.save(update_fields=["verdict", "notes", "given_by", "given_at"])
        audit.record(
            kind=AuditKind.REVIEW_GIVEN,
            by=by,
            subject=lifecycle.subject_of(promotion),
            details={
                "verdict": verdict.value,
                "reason": found.notes,
                "incident": found.incident,
                "tag": promotion.to_tag,
            },
        )
    return found


def min_notes(applications: Iterable[Application]) -> dict[int, int]:
    """Return how many characters the notes must have for each Application: as many as declaring takes."""
    found = policy.effective_for(applications, policy.current())
    return {
        pk: effective.emergency.min_reason if effective.emergency else effective.min_reason_reject
        for pk, effective in found.items()
    }


def possible_reviewers(promotion: Promotion, *, besides: User | None = None) -> tuple[str, ...]:
    """Return who could review an emergency of this promotion, as things stand; `besides` is who declares it."""
    owed = _review_of(promotion)
    involved = {
        besides.pk if besides else None,
        owed.declared_by_id if owed else None,
        *_approvers(promotion),
    }
    bound = permissions.bindings()
    found = []
    for person in permissions.people_with(Action.REVIEW, bound):
        groups = {group.name for group in person.groups.all()}
        roles = permissions.roles_by(person.username, groups, bound, promotion.application)
        if person.pk not in involved and permissions.carries(roles, Action.REVIEW):
            found.append(person.get_username())
    return tuple(found)


def _review_of(promotion: Promotion) -> Review | None:
    if promotion.kind != Promotion.Kind.EMERGENCY:
        return None
    return Review.objects.filter(promotion=promotion).select_related("given_by").first()


def _approvers(promotion: Promotion) -> set[int]:
    approvals = policy.standing_approvals(promotion)
    return {decision.by_id for decision in approvals if decision.by_id is not None}
