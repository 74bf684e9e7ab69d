"""The audit page and its export."""

import csv
import io
import json
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.utils import timezone

from approvals.queries import keyset, trail
from approvals.queries.trail import Wanted
from approvals.views.trail import safe_cell
from tests import builders
from updater import audit
from updater.audit import Actor, AuditKind, Subject
from updater.models import AuditEvent


def _get(client: Client, address: str = "/audit/") -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def _rows(page: str) -> list[int]:
    return [int(part.partition('"')[0]) for part in page.split('id="event-')[1:]]


@pytest.fixture
def events(db: None) -> list[AuditEvent]:
    about = Subject(application="argocd/checkout", image="web")
    mei = Actor("mei", "person", "page", "10.20.4.17", "01jdf3m8q2")
    return [
        builders.make_event(AuditKind.CANDIDATE_FOUND, subject=about, tag="main-e1f492f"),
        builders.make_event(
            AuditKind.PROMOTION_APPROVED, by=mei, subject=about, tag="main-e1f492f"
        ),
        builders.make_event(AuditKind.SCAN_FAILED, repository="shop/web", message="timed out"),
    ]


def test_audit_shows_sentences_newest_first(client: Client, auditor: User, events):
    client.force_login(auditor)

    page = _get(client)

    assert _rows(page) == [3, 2, 1]
    assert "approved main-e1f492f" in page
    assert "could not scan shop/web" in page
    assert "argocd/checkout / web" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=candidate.found", [1]),
        ("actor=mei", [2]),
        ("application=argocd/checkout", [2, 1]),
        ("application=argocd/checkout&actor=mei", [2]),
        ("when=hour", [3, 2, 1]),
        ("until=2020-01-01", []),
        ("since=2020-01-01", [3, 2, 1]),
        ("actor=nobody", []),
        ("before=2", [1]),
        ("after=1", [3, 2]),
    ],
)
def test_audit_filters_find(client: Client, auditor: User, events, query: str, expected: list[int]):
    client.force_login(auditor)

    assert _rows(_get(client, f"/audit/?{query}")) == expected


def test_audit_time_filter_cuts_exactly(db: None, events):
    second = events[1].at

    since = trail.page(Wanted(since=second)).events
    until = trail.page(Wanted(until=second)).events

    assert [event.sequence for event in since] == [3, 2]
    assert [event.sequence for event in until] == [1]


def test_audit_since_the_future_is_empty(db: None, events):
    assert trail.page(Wanted(since=timezone.now() + timedelta(days=1))).events == ()


def test_audit_open_event_shows_details_door_and_hashes(client: Client, auditor: User, events):
    client.force_login(auditor)

    page = _get(client, "/audit/?open=2")

    opened = page.partition('class="why"')[2]
    for words in ("10.20.4.17", "01jdf3m8q2", events[1].hash[:10], events[1].previous_hash):
        assert words in opened


def test_audit_event_of_a_kind_from_a_newer_release_is_shown(client: Client, auditor: User, db):
    class Newer(str):
        value = "moon.landed"

    builders.make_event(Newer("moon.landed"))
    client.force_login(auditor)

    assert "moon.landed" in _get(client)


def test_audit_pages_hold_every_event_exactly_once(db: None, monkeypatch):
    monkeypatch.setattr(trail, "PAGE_SIZE", 2)
    for _ in range(5):
        builders.make_event()

    older = [trail.page(Wanted()), trail.page(Wanted(), before=4), trail.page(Wanted(), before=2)]
    newer = trail.page(Wanted(), after=1)

    assert [[event.sequence for event in page.events] for page in older] == [[5, 4], [3, 2], [1]]
    assert [page.has_older for page in older] == [True, True, False]
    assert [event.sequence for event in newer.events] == [3, 2]
    assert (newer.has_newer, newer.has_older) == (True, True)


def test_audit_count_stops_at_the_limit(db: None, monkeypatch):
    monkeypatch.setattr(trail, "COUNT_LIMIT", 2)
    monkeypatch.setattr(keyset, "COUNT_LIMIT", 2)
    for _ in range(4):
        builders.make_event()

    assert str(trail.count(Wanted())) == "over 2"


@pytest.mark.parametrize(
    "query",
    ["kind=nothing", "before=x", "before=0", "open=9e99", "actor=%00", "since=yesterday", "when=x"],
)
def test_w28_audit_unreadable_filter_is_named_and_left_out(
    client: Client, auditor: User, events, query: str
):
    client.force_login(auditor)

    response = client.get(f"/audit/?{query}")

    assert response.status_code == 400
    assert f"{query.partition('=')[0]}:" in response.content.decode()


def test_audit_empty_trail_says_so(client: Client, auditor: User):
    client.force_login(auditor)

    assert "Nothing is recorded yet" in _get(client)


def test_audit_last_checkpoint_is_the_last_commit(client: Client, auditor: User, events):
    builders.make_event(AuditKind.OVERRIDE_COMMITTED, commit="ab3307e")
    builders.make_event()
    client.force_login(auditor)

    assert "event 4" in _get(client).partition("Last checkpoint outside")[2].partition("</dd>")[0]


def test_audit_is_not_for_viewers(client: Client, viewer: User, events):
    client.force_login(viewer)

    assert client.get("/audit/").status_code == 403
    assert client.get("/audit/export.csv").status_code == 403


@pytest.mark.parametrize("address", ["/audit/", "/audit/export.csv"])
def test_audit_other_methods_are_refused(client: Client, auditor: User, address: str):
    client.force_login(auditor)

    assert client.post(address).status_code == 405


def test_export_holds_every_column_of_the_wanted_events(client: Client, auditor: User, events):
    client.force_login(auditor)

    response = client.get("/audit/export.csv?application=argocd/checkout")

    table = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [row["sequence"] for row in table] == ["1", "2"]
    assert (table[1]["actor"], table[1]["address"]) == ("mei", "10.20.4.17")
    assert (table[1]["previous_hash"], table[1]["hash"]) == (events[0].hash, events[1].hash)
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'


def test_export_is_recorded_with_who_the_filters_and_how_many_rows(
    client: Client, auditor: User, events
):
    client.force_login(auditor)

    response = client.get("/audit/export.csv?application=argocd/checkout&open=1&kind=")
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode())))

    event = AuditEvent.objects.get(kind=AuditKind.AUDIT_EXPORTED)
    details = json.loads(event.details)
    assert (event.actor, event.via) == ("luca", "page")
    assert details["filters"] == {"application": "argocd/checkout"}
    assert details["rows"] == len(rows) == 2
    assert details["up_to"] == events[-1].sequence
    assert "exported the trail, 2 events" in _get(client)


def test_export_whose_record_cannot_be_written_gives_nothing_out(
    client: Client, auditor: User, events, monkeypatch
):
    client.force_login(auditor)
    client.raise_request_exception = False
    monkeypatch.setattr(audit, "record", _fail)

    response = client.get("/audit/export.csv")

    assert (response.status_code, b"main-e1f492f" in response.content) == (500, False)


def _fail(**_):
    raise RuntimeError("disk is full")


def test_export_comes_in_chunks_without_a_gap(db: None, monkeypatch):
    monkeypatch.setattr(trail, "EXPORT_CHUNK", 2)
    for _ in range(5):
        builders.make_event()

    chunks = [
        [event.sequence for event in chunk]
        for chunk in trail.export(Wanted(), trail.extent(Wanted()))
    ]

    assert chunks == [[1, 2], [3, 4], [5]]


@pytest.mark.django_db(transaction=True)
def test_export_streams_under_asgi(auditor: User):
    builders.make_event()

    body = async_to_sync(_exported)(auditor)

    assert body.startswith(b"sequence,at,kind,")
    assert body.count(b"\r\n") == 2


async def _exported(person: User) -> bytes:
    client = AsyncClient()
    await client.aforce_login(person)
    response = await client.get("/audit/export.csv")
    return b"".join([chunk async for chunk in response.streaming_content])


def test_export_unreadable_filter_is_refused(client: Client, auditor: User):
    client.force_login(auditor)

    assert client.get("/audit/export.csv?kind=nothing").status_code == 400


@pytest.mark.parametrize(
    "cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"], ids=ascii
)
def test_w31_export_cell_is_no_formula(cell: str):
    assert safe_cell(cell).startswith("'")


@pytest.mark.parametrize("cell", ["main-e1f492f", "", "a=1", "2026-11-24T09:31:08Z"])
def test_w31_export_plain_cell_is_left_alone(cell: str):
    assert safe_cell(cell) == cell
