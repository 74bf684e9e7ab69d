"""What the clients of a schedule do: the same calls as pages and API make, each an operation of the history."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError, connection

from approvals import decisions
from approvals.models import Hold, Promotion
from approvals.models.promotion import PromotionQuerySet
from approvals.models.promotion import PromotionStatus as Status
from tests.faults import strangers
from tests.faults.fleet import Fleet, Member
from tests.faults.history import History, Operation
from tests.faults.schedule import Step
from updater.audit import Actor

REASON = "decided by a schedule of the tests"
# A step's verb on promotions: the function of `decisions`, the statuses in which people think of it, what is told.
VERBS: Mapping[str, tuple[str, list[Status], Mapping[str, str]]] = {
    "approve": ("approve", [Status.PENDING], {"reason": REASON}),
    "reject": ("reject", [Status.PENDING], {"reason": REASON}),
    "take_back": ("withdraw_approval", Status.undecided_or_waiting(), {}),
    "abort": ("abort", [Status.APPROVED, Status.EXECUTING], {"reason": REASON}),
    "retry": ("retry", [Status.ERRORED], {}),
    "withdraw": ("withdraw", [Status.PENDING, Status.ERRORED], {"reason": REASON}),
    "roll_back": ("roll_back", [Status.SUCCEEDED], {"reason": REASON}),
}


@dataclass
class Clients:
    """Everybody outside the machine; each method is one kind of step."""

    fleet: Fleet
    history: History
    newest: dict[str, str] = field(default_factory=dict)  # image → the tag pushed last
    _numbers: Any = field(default_factory=lambda: count(1))

    def act(self, step: Step) -> None:
        """Do one step; nothing happens where there is nothing to do it to, or the database is away."""
        try:
            if step.do in VERBS:
                self.decide_somewhere(step)
            else:
                member = self.fleet.members[step.on % len(self.fleet.members)]
                getattr(self, step.do)(member, step.who)
        except DatabaseError:
            pass  # it could not even look what there is
        finally:
            connection.close()

    # People

    def decide_somewhere(self, step: Step) -> None:
        """Use a verb on one of the promotions for which it is meant."""
        rows = _promotions(self.fleet.names).filter(status__in=VERBS[step.do][1]).order_by("pk")
        found = list(rows)
        if found:
            self.decide(step.do, found[step.on % len(found)], step.who)

    def approve(self, member: Member, who: str) -> None:
        """Approve what is open for an Application."""
        for promotion in _promotions([member.name]).filter(status=Status.PENDING):
            self.decide("approve", promotion, who)

    def retry(self, member: Member, who: str) -> None:
        """Try again what errored of an Application."""
        for promotion in _promotions([member.name]).filter(status=Status.ERRORED):
            self.decide("retry", promotion, who)

    def hold(self, member: Member, who: str) -> None:
        """Hold one Application."""
        target = decisions.Target(Hold.Scope.APPLICATION, f"argocd/{member.name}")
        person = _person(who)
        with self.history.operation("hold", who, application=member.name) as one:
            decisions.hold(
                target=target, reason=REASON, until=None, person=person, by=_by(person, one)
            )

    def release(self, _: Member, who: str) -> None:
        """Release whatever is held."""
        standing = Hold.objects.filter(application__name__in=self.fleet.names, released_at=None)
        for hold in standing:
            person = _person(who)
            with self.history.operation("release", who, hold=hold.pk) as one:
                decisions.release(
                    hold_id=hold.pk, reason=REASON, person=person, by=_by(person, one)
                )

    def decide(self, what: str, promotion: Promotion, who: str) -> None:
        """Use a verb on a promotion as a page does, with the seal that was read."""
        verb, _, fixed = VERBS[what]
        told: dict[str, Any] = dict(fixed)
        person = _person(who)
        about = {
            "promotion": str(promotion.pk),
            "application": promotion.application.name,
            "tag": promotion.to_tag,
            "seal": promotion.seal,
        }
        if verb in ("approve", "reject"):
            told["seal"] = promotion.seal
        call: Callable[..., Any] = getattr(decisions, verb)
        with self.history.operation(verb, who, **about) as one:
            call(promotion_id=promotion.pk, person=person, by=_by(person, one), **told)

    # Builds and strangers

    def push(self, member: Member, who: str) -> str:
        """Push a new build."""
        tag = f"main-{next(self._numbers):07x}"
        return self._push(member.image, tag, who)

    def push_again(self, member: Member, who: str) -> None:
        """Push the newest tag again, with another content."""
        if tag := self.newest.get(member.image):
            self._push(member.image, tag, who)

    def _push(self, image: str, tag: str, who: str) -> str:
        with self.history.operation("push", who, image=image, tag=tag):
            self.newest[image] = tag
            return self.fleet.outside.push(tag, image, labels={"build": str(next(self._numbers))})

    def commit_beside(self, member: Member, who: str) -> None:
        """Commit to a file that nobody else writes."""
        line = f"line {next(self._numbers)}\n".encode()
        self._commit(member, who, "README.md", lambda text: text + line)

    def commit_same_file(self, member: Member, who: str) -> None:
        """Commit a comment to the file that we write."""
        line = f"# note {next(self._numbers)}\n".encode()
        self._commit(member, who, member.path, lambda text: text + line if text else text)

    def commit_our_value(self, member: Member, who: str) -> None:
        """Commit another tag where we write."""
        strange = f"main-f{next(self._numbers):06x}"

        def edit(text: bytes) -> bytes:
            return _with_tag(text, member, strange)

        self._commit(member, who, member.path, edit, value=strange)

    def _commit(
        self, member: Member, who: str, path: str, edit: Callable[[bytes], bytes], **about: str
    ) -> None:
        told = {"repository": member.repository, "path": path, **about}
        with self.history.operation("commit", who, **told) as one:
            one.about["commit"] = strangers.change(
                self.fleet.outside.git, member.repository, path, edit, f"Change {path}\n"
            )


def _with_tag(text: bytes, member: Member, tag: str) -> bytes:
    """Return the file with another tag of this Application, byte for byte the same otherwise."""
    lines = text.decode().split("\n")
    heads: Mapping[bool, str] = {True: f"{member.name}:", False: f"- name: {member.place[2]}"}
    is_shared = member.plan.file == "shared"
    for number, line in enumerate(lines):
        if line.strip() == heads[is_shared]:
            at = number + (2 if is_shared else 1)
            lines[at] = lines[at].partition(":")[0] + f": {tag}"
            break
    return "\n".join(lines).encode()


def _promotions(names: list[str]) -> PromotionQuerySet:
    rows = Promotion.objects.select_related("application")
    return rows.filter(application__name__in=names)


def _person(name: str) -> User:
    return User.objects.get(username=name)


def _by(person: User, one: Operation) -> Actor:
    return Actor(
        name=person.get_username(),
        kind="person",
        via="page",
        request_id=one.token,
        user_id=person.pk,
    )
