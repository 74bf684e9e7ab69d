"""Which policy stands: loaded once, kept by hash, and a broken file changes nothing."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from approvals import policy, promotions
from approvals.models import PolicyVersion
from approvals.policy import reading, store
from tests import builders
from tests.integration.conftest import WORKER
from updater import clock
from updater.audit import AuditKind
from updater.models import AuditEvent

TWO = "rules: [{name: two, approvals: [{name: two, role: approver, count: 2}]}]\n"


def _load():
    return policy.load(by=WORKER, at=clock.now())


def _events():
    kinds = [AuditKind.POLICY_LOADED, AuditKind.POLICY_REFUSED]
    rows = AuditEvent.objects.filter(kind__in=kinds).order_by("sequence")
    return [(row.kind, json.loads(row.details)) for row in rows]


def test_current_without_a_file_is_the_built_in_policy(db):
    found = policy.current()

    assert (found.name, found.closed, found.problem) == ("built-in", "", "")
    assert _load() is None
    assert _events() == []


def test_load_stores_the_text_with_who_and_when_and_records_it(stand, policy_file):
    stand(TWO)

    row, data = PolicyVersion.objects.get(), policy_file.read_bytes()
    assert (row.hash, row.text, row.is_current) == (reading.hash_of(data), data.decode(), True)
    assert (row.loaded_by, policy.current().hash) == ("scan-worker-1", row.hash)
    ((kind, details),) = _events()
    assert kind == AuditKind.POLICY_LOADED
    assert details == {
        "version": row.short_hash,
        "before": "built-in",
        "hash": row.hash,
        "zones": store.zones_version(),
    }


def test_t07_zones_version_names_a_release_of_the_zone_database():
    assert store.zones_version()[:2] in ("20", "tz")


def test_load_of_the_same_file_again_does_nothing(stand):
    stand(TWO)

    assert _load() is None
    assert PolicyVersion.objects.count() == 1


def test_load_of_an_earlier_text_makes_it_stand_again(stand):
    first = stand(TWO)
    stand("")

    again = stand(TWO)

    assert (again.hash, again.is_current) == (first.hash, True)
    assert PolicyVersion.objects.current().get() == again
    assert [details["before"] for _, details in _events()][1:] == [
        first.short_hash,
        PolicyVersion.objects.order_by("pk")[1].short_hash,
    ]


def test_load_by_a_worker_with_the_older_file_does_not_take_turns(stand, policy_file, monkeypatch):
    older, newer = b"version: 1\n", b"version: 1\nrules: []\n"
    memories = ({}, {})

    def sweep(memory, data):
        monkeypatch.setattr(store, "_seen", memory)
        policy_file.write_bytes(data)
        return _load()

    sweep(memories[0], older)
    sweep(memories[1], older)
    sweep(memories[0], newer)

    assert sweep(memories[1], older) is None
    assert policy.current().hash == reading.hash_of(newer)
    assert sweep(memories[1], newer) is None
    assert PolicyVersion.objects.count() == 2


BROKEN = {
    "syntax": ("rules: [", "Not readable as YAML"),
    "meaning": ("rules: [{name: a, soak: 3}]", "rules[0].soak 3 is not a duration"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_load_of_a_broken_file_keeps_the_last_good_version_and_says_so(text, message, stand):
    good = stand(TWO)

    refused = stand(text)

    found = policy.current()
    assert (refused.is_current, refused.text) == (False, "")
    assert message in refused.problem == found.problem
    assert (found.hash, found.closed) == (good.hash, "")
    assert len(found.document.rules) == 1
    assert [kind for kind, _ in _events()] == [AuditKind.POLICY_LOADED, AuditKind.POLICY_REFUSED]
    assert message in _events()[1][1]["reason"]


def test_load_of_a_broken_file_again_is_refused_once(stand):
    stand("rules: [")
    stand("rules: [")
    _load()

    assert len(_events()) == 1


def test_load_of_the_mended_file_stands_and_says_nothing_more(stand):
    stand(TWO)
    stand("rules: [")

    stand(TWO)

    assert (policy.current().problem, len(policy.current().document.rules)) == ("", 1)


def test_load_of_a_file_that_is_gone_keeps_the_last_good_version(stand, policy_file):
    good = stand(TWO)
    policy_file.unlink()

    _load()

    found = policy.current()
    assert found.hash == good.hash
    assert "cannot be read: No such file" in found.problem


@pytest.mark.parametrize("content", [None, "rules: ["], ids=["missing", "broken"])
def test_current_with_a_file_that_was_never_good_is_closed_not_built_in(
    content, stand, policy_file, sre
):
    promotion = builders.make_promotion()
    if content is not None:
        stand(content)

    standing = policy.explain(promotion, sre, at=timezone.now())

    assert policy.current().closed
    assert not standing.can_approve
    assert [reason.code for reason in standing.why] == ["policy_missing"]
    gate = {item.key: item for item in policy.gates(promotion, at=timezone.now())}["policy"]
    assert (gate.verdict, gate.text) == ("block", policy.current().closed)


def test_current_that_this_release_cannot_read_is_closed(stand):
    row = stand(TWO)
    store.document_of.cache_clear()
    PolicyVersion.objects.filter(pk=row.pk).update(hash="f" * 64, text="version: 2\n")

    assert "cannot read the stored policy" in policy.current().closed


def test_current_after_the_setting_was_emptied_still_stands(stand, settings):
    row = stand(TWO)
    settings.POLICY_FILE = ""

    assert _load() is None
    assert policy.current().hash == row.hash


def test_sweep_loads_the_file(stand, policy_file, monkeypatch):
    policy_file.write_text("version: 1\n", encoding="utf-8")

    promotions.sweep(world=None, by=WORKER)

    assert PolicyVersion.objects.current().exists()


def test_two_current_versions_are_refused_by_the_database(stand):
    stand(TWO)

    with pytest.raises(IntegrityError, match="one_policy_stands"), transaction.atomic():
        PolicyVersion.objects.create(
            hash="a", is_current=True, loaded_at=timezone.now(), loaded_by="x"
        )


def test_refused_version_cannot_stand(db):
    with pytest.raises(IntegrityError, match="a_refused_policy_never_stands"), transaction.atomic():
        PolicyVersion.objects.create(
            hash="a", is_current=True, problem="no", loaded_at=timezone.now(), loaded_by="x"
        )
