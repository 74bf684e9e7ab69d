"""Every page makes a fixed number of queries: as many for many rows as for few."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals import decisions
from approvals.models import Promotion, Review
from tests import builders
from updater.audit import Actor, AuditKind
from updater.models import Application

# The address, and how many queries it may make: session, account, groups, policy, frame, and what the page reads.
PAGES = {
    "pending": ("/", 21),
    "pending, I can decide": ("/?show=decide", 21),
    "promotion": ("/promotions/{promotion}/", 20),
    "reject": ("/promotions/{promotion}/reject/", 20),
    "execution": ("/promotions/{ended}/execution/", 20),
    "applications": ("/applications/", 10),
    "application": ("/applications/argocd/first/", 21),
    "releases": ("/releases/", 9),
    "recovery": ("/recovery/", 13),
    "policy": ("/policy/?application=argocd/first", 17),
    "releases of an Application": ("/applications/argocd/first/releases/?image=image-0", 16),
    "roll back": ("/promotions/{ended}/roll-back/", 18),
    "holds": ("/holds/", 9),
    "hold": ("/holds/new/?scope=application&application=argocd/first", 9),
    "reviews": ("/reviews/", 11),
    "emergency": ("/promotions/{promotion}/emergency/", 12),
    "stop": ("/promotions/{promotion}/abort/", 20),
    "audit": ("/audit/?open=1", 11),
    "API promotions": ("/api/v1/promotions", 8),
    "API promotion": ("/api/v1/promotions/{promotion}", 24),
    "API recovery": ("/api/v1/recovery", 14),
    "API audit events": ("/api/v1/audit-events", 8),
}
# Two savepoints, the lock, what is decided on, the decision, the move and its audit row.
APPROVE = 18


@pytest.fixture
def ids(sre: User) -> dict[str, str]:
    """Make two rows of everything that the pages list, and return what the addresses name."""
    first = builders.make_application("first")
    _add(first, 0, sre)
    pending, ended = _add(first, 1, sre)
    return {"promotion": str(pending.pk), "ended": str(ended.pk)}


@pytest.mark.parametrize("name", PAGES)
def test_page_asks_as_much_for_many_rows_as_for_few(
    name: str, sre: User, client: Client, ids: dict[str, str]
):
    client.force_login(sre)
    address, limit = PAGES[name]
    address = address.format(**ids)
    few = _count(client, address)
    for number in range(2, 9):
        _add(Application.objects.get(name="first"), number, sre)

    many = _count(client, address)

    assert many == few
    assert many <= limit


def test_approve_reads_what_it_decides_on_once(sre: User, ids: dict[str, str]):
    promotion = Promotion.objects.get(pk=ids["promotion"])

    with CaptureQueriesContext(connection) as queries:
        decisions.approve(
            promotion_id=promotion.pk, seal=promotion.seal, reason="", person=sre, by=Actor("mei")
        )

    promotion.refresh_from_db()
    assert promotion.status == "APPROVED"
    assert len(queries) <= APPROVE


def _add(first: Application, number: int, sre: User) -> tuple[Promotion, Promotion]:
    image = builders.make_tracked_image(first, f"image-{number}")
    pending = builders.make_promotion(builders.make_candidate(image, f"main-aaaaaa{number}"))
    builders.make_event(AuditKind.PROMOTION_OPENED, promotion=pending, tag=pending.to_tag)
    ended = builders.make_promotion(status="SUCCEEDED")
    builders.make_decision(ended, sre)
    execution = builders.make_execution(ended, ended_at=ended.created_at)
    builders.make_step(execution, "Push")
    stuck = builders.make_promotion(status="ERRORED")
    builders.make_step(builders.make_execution(stuck, ended_at=stuck.created_at), "Push")
    builders.make_event(AuditKind.TRAILER_FORGED, promotion=stuck, reason="not ours")
    builders.make_hold(tracked_image=image)
    builders.make_hold(tracked_image=image, released_at=pending.created_at)
    builders.make_comment(pending, sre)
    builders.make_review(_emergency(first, f"owed-{number}"))
    given = builders.make_review(_emergency(first, f"given-{number}"))
    Review.objects.filter(pk=given.pk).update(
        given_at=given.declared_at, given_by=sre, verdict="justified", notes="it was right"
    )
    return pending, ended


def _emergency(first: Application, alias: str) -> Promotion:
    image = builders.make_tracked_image(first, alias)
    return builders.make_promotion(builders.make_candidate(image), status="SUCCEEDED")


def _count(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries)
