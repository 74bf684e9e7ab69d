"""What a verb on a promotion is: its name, the right it needs, and what stands against it.

The verb asks `reasons` and raises what it finds; pages, API and commands ask the same and list it (`offers`).
So an action that is shown as possible is one that the domain accepts, and the reverse.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.contrib.auth.models import User

from approvals import lifecycle, permissions, policy
from approvals.decisions.errors import (
    AlreadyDecidedError,
    NothingToTakeBackError,
    OwnChangeError,
    PastStoppingError,
)
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.permissions import Action, NotAllowedError, Person, Role
from approvals.policy import Effective, Facts, Policy, Reason, Rules, Standing
from updater.errors import PermanentError

NOT_ALLOWED = "not_allowed"
_NO_RIGHT_TO_VOTE = "not_approver"  # how the policy calls it; here the verb's own action says it


@dataclass(frozen=True)
class Situation:
    """A promotion that was just read and a person at one time; what several verbs ask for is read once.

    A page has read the policy (`under`) and the decisions already. For a verb both are read here, after the row of the
    promotion was locked.
    """

    promotion: Promotion
    person: Person
    at: datetime
    under: Policy | None = None

    @property
    def account(self) -> User:
        """The person's account; only who has one passes a check of rights."""
        if not isinstance(self.person, User):
            raise NotAllowedError("This needs an account.")
        return self.person

    @cached_property
    def rules(self) -> Rules:
        """The policy, with what it says for the Application."""
        return policy.rules_as_read(self.promotion, self.under)

    @cached_property
    def roles(self) -> frozenset[Role]:
        """The roles that the person holds for the Application."""
        bound = self.rules.policy.bindings
        return permissions.roles_of(self.person, self.promotion.application, bound=bound)

    @cached_property
    def facts(self) -> Facts:
        """What a decision of the person depends on."""
        person = self.person if isinstance(self.person, User) else None
        return policy.facts_of(
            self.promotion,
            person,
            rules=self.rules,
            at=self.at,
            as_read=self.under is not None,
        )

    @cached_property
    def standing(self) -> Standing:
        """Where the person stands under the policy."""
        return policy.stand(self.promotion, self.facts, rules=self.rules)

    @cached_property
    def emergency(self) -> Standing | None:
        """Where they would stand if this became an emergency now; None: the policy has none here."""
        return policy.stand_in_emergency(self.promotion, self.facts, rules=self.rules)

    @property
    def effective(self) -> Effective:
        """What the policy says for the Application."""
        return self.rules.of(self.promotion)

    @property
    def is_satisfied_now(self) -> bool:
        """Whether the approvals are enough after a decision under the same lock."""
        return policy.is_satisfied_now(self.promotion, self.facts, rules=self.rules)

    @property
    def status(self) -> Status:
        """Where the promotion is in its life."""
        return Status(self.promotion.status)

    def may(self, action: Action) -> bool:
        """Whether the person may do this to the Application, whatever the promotion is like."""
        return permissions.carries(self.roles, action)


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that a person can do to a promotion."""

    name: str
    action: Action
    against: Callable[[Situation], Iterable[Reason]]
    asker: Action | None = None  # the right that is enough for who asked for the promotion
    error: type[PermanentError] = (
        AlreadyDecidedError  # what is raised where no other error fits better
    )

    def right(self, situation: Situation) -> Action:
        """Return the right that this person needs."""
        promotion, person = situation.promotion, situation.person
        is_own = bool(promotion.requested_by) and promotion.requested_by == person.get_username()
        return self.asker if self.asker and is_own else self.action

    def reasons(self, situation: Situation) -> tuple[Reason, ...]:
        """Return everything that stands against it, the missing right first; nothing means it is possible."""
        right = self.right(situation)
        rights = () if situation.may(right) else (_lacking(right, situation),)
        found = (item for item in self.against(situation) if item.code != _NO_RIGHT_TO_VOTE)
        return (*rights, *found)

    def require(self, situation: Situation) -> None:
        """Raise what stands against it.

        Raises:
            NotAllowedError, OwnChangeError, or the verb's own error.
        """
        if reasons := self.reasons(situation):
            raise _error_of(reasons, self.error)


def unmovable(situation: Situation, to: Status, *, what: str) -> tuple[Reason, ...]:
    """Return why the life of the promotion does not lead there from where it is now."""
    if to in lifecycle.MOVES.get(situation.status, frozenset()):
        return ()
    promotion = situation.promotion
    sentence = f"It {promotion.is_what}, so it cannot be {what}."
    return (
        Reason(
            "status",
            sentence,
            fact=promotion.status_reason or sentence,
            fact_at=promotion.status_at,
        ),
    )


def _lacking(action: Action, situation: Situation) -> Reason:
    held = ", ".join(sorted(situation.roles)) or "none"
    return Reason(
        NOT_ALLOWED,
        permissions.refusal(situation.person, action, situation.promotion.application),
        fact=f"Your roles here: {held}",
        fact_at=situation.at,
        who="an administrator, or the roles in the policy file",
    )


_ERRORS: dict[str, type[PermanentError]] = {
    "own_request": OwnChangeError,
    "own_emergency": OwnChangeError,
    "nothing_to_take_back": NothingToTakeBackError,
    "past_stopping": PastStoppingError,
}


def _error_of(reasons: tuple[Reason, ...], otherwise: type[PermanentError]) -> PermanentError:
    first = reasons[0]
    if first.code == NOT_ALLOWED:
        return NotAllowedError(first.sentence)  # who has no right is told nothing of the rest
    return _ERRORS.get(first.code, otherwise)(" ".join(reason.sentence for reason in reasons))
