"""W15 and W16: many approve the same promotion at the same instant, round after round, each on an own connection."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from approvals import decisions, doorbell
from approvals.models import Decision, Promotion
from tests import builders
from updater.audit import Actor, AuditKind
from updater.errors import PermanentError
from updater.models import AuditEvent, TrackedImage

PEOPLE = 8
SECONDS_A_ROUND = 20  # far more than any round takes; a deadlock or a lost lock takes for ever
THREE_OF_THE_GROUP = """
rules:
  - name: three
    approvals: [{name: three, groups: [sre], count: 3}]
"""

Round = Callable[[Promotion], Counter[str]]


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


@pytest.fixture
def people(transactional_db: None) -> list[User]:
    group = Group.objects.create(name="sre")
    made = [builders.make_person(role="approver") for _ in range(PEOPLE)]
    for person in made:
        person.groups.add(group)
    return made


@contextmanager
def approvers(people: list[User]) -> Iterator[Round]:
    """Keep a thread for each person; yield what lets all of them approve a promotion at once."""
    start, answers = threading.Barrier(len(people) + 1), queue.SimpleQueue[str]()
    shown: list[Promotion | None] = [None]

    def work(person: User) -> None:
        by = Actor(name=person.username, kind="person", via="page", user_id=person.pk)
        while True:
            start.wait(SECONDS_A_ROUND)
            if (promotion := shown[0]) is None:
                break
            answers.put(_approve(promotion, person, by))
        connection.close()

    def play(promotion: Promotion) -> Counter[str]:
        shown[0] = promotion
        start.wait(SECONDS_A_ROUND)
        return Counter(answers.get(timeout=SECONDS_A_ROUND) for _ in people)

    threads = [threading.Thread(target=work, args=[person], daemon=True) for person in people]
    for thread in threads:
        thread.start()
    try:
        yield play
    finally:
        shown[0] = None
        start.wait(SECONDS_A_ROUND)
        for thread in threads:
            thread.join(SECONDS_A_ROUND)


def _approve(promotion: Promotion, person: User, by: Actor) -> str:
    try:
        decisions.approve(
            promotion_id=promotion.pk, seal=promotion.seal, reason="", person=person, by=by
        )
    except PermanentError as error:
        return error.code
    except Exception as error:  # noqa: BLE001  told by the assertion in the other thread
        return repr(error)
    return "approved"


def _pending(image: TrackedImage, number: int) -> Promotion:
    Promotion.objects.filter(status="APPROVED").update(status="WITHDRAWN")
    return builders.make_promotion(builders.make_candidate(image, f"main-{number:07x}"))


def _kinds(promotion: Promotion) -> Counter[str]:
    rows = AuditEvent.objects.filter(promotion=str(promotion.pk))
    return Counter(rows.values_list("kind", flat=True))


@pytest.mark.parametrize(
    "rounds", [pytest.param(25), pytest.param(1000, marks=pytest.mark.slow)], ids=str
)
def test_w15_eight_approvers_at_once_make_one_transition_and_one_row_each(rounds, people):
    image, slowest = builders.make_tracked_image(), 0.0

    with approvers(people) as play:
        for number in range(rounds):
            promotion = _pending(image, number)
            began = time.monotonic()
            outcomes = play(promotion)
            slowest = max(slowest, time.monotonic() - began)

            assert outcomes == {"approved": 1, "already_decided": PEOPLE - 1}
            assert _kinds(promotion) == {
                AuditKind.PROMOTION_APPROVED: 1,
                AuditKind.DECISION_REFUSED: PEOPLE - 1,
            }
            assert Decision.objects.filter(promotion=promotion).count() == 1

    assert slowest < SECONDS_A_ROUND


@pytest.mark.parametrize("rounds", [10], ids=str)
def test_w15_eight_approvers_of_three_needed_count_three_and_no_more(rounds, people, stand):
    stand(THREE_OF_THE_GROUP)
    image = builders.make_tracked_image()

    with approvers(people) as play:
        for number in range(rounds):
            promotion = _pending(image, number)
            outcomes = play(promotion)

            assert outcomes == {"approved": 3, "already_decided": PEOPLE - 3}
            assert _kinds(promotion) == {
                AuditKind.APPROVAL_GIVEN: 2,
                AuditKind.PROMOTION_APPROVED: 1,
                AuditKind.DECISION_REFUSED: PEOPLE - 3,
            }


def test_w16_one_person_who_clicks_eight_times_at_once_gives_one_approval(people, stand):
    stand(THREE_OF_THE_GROUP)
    promotion = builders.make_promotion()

    with approvers([people[0]] * PEOPLE) as play:
        outcomes = play(promotion)

    promotion.refresh_from_db()
    assert outcomes == {"approved": 1, "already_decided": PEOPLE - 1}
    assert promotion.status == "PENDING"
    assert Decision.objects.filter(promotion=promotion).count() == 1
    assert _kinds(promotion)[AuditKind.APPROVAL_GIVEN] == 1
