"""Who else writes the same: machines are named, people and the past are not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.writeback import writers

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OURS = "countersign@example.com"


@dataclass(frozen=True)
class Commit:
    author_name: str = "Ana"
    author_email: str = "ana@example.com"
    subject: str = "Raise the memory"
    sha: str = "1a2b3c4d" + "0" * 32
    committed_at: datetime = NOON


MACHINES = {
    "updater by mail": (Commit("x", "noreply@argoproj.io"), "Argo CD Image Updater"),
    "updater by name": (Commit("argocd-image-updater", "a@b"), "Argo CD Image Updater"),
    "updater by subject": (
        Commit(subject="build: automatic update of web"),
        "Argo CD Image Updater",
    ),
    "github app": (Commit("deploy[bot]", "1+deploy[bot]@users.example"), "deploy[bot]"),
    "renovate": (Commit("Renovate Runner", "r@example.com"), "Renovate Runner"),
    "flux": (Commit("fluxcdbot", "fluxcdbot@users.example"), "fluxcdbot"),
    "named bot": (Commit("release bot", "r@example.com"), "release bot"),
}


@pytest.mark.parametrize(("commit", "name"), MACHINES.values(), ids=MACHINES)
def test_of_commits_names_a_machine_with_its_commit(commit, name):
    assert writers.of_commits([commit], ours=OURS) == [
        f"{name} (commit 1a2b3c4d, 2026-11-20 12:00)"
    ]


@pytest.mark.parametrize("name", ["Ana", "Robert Botham", "Abbott", "Kees Keelson"[:4]])
def test_of_commits_says_nothing_of_people(name):
    assert writers.of_commits([Commit(name)], ours=OURS) == []


def test_of_commits_before_our_last_one_are_the_past():
    bot, ours = Commit("argocd-image-updater"), Commit("countersign", OURS)

    assert writers.of_commits([ours, bot], ours=OURS) == []
    assert len(writers.of_commits([bot, ours, bot], ours=OURS)) == 1


def test_of_commits_names_each_machine_once_with_its_last_commit():
    last, before = Commit("a[bot]", sha="f" * 40), Commit("a[bot]", sha="e" * 40)

    assert writers.of_commits([last, before], ours=OURS) == [
        "a[bot] (commit ffffffff, 2026-11-20 12:00)"
    ]


def test_of_commits_shows_control_characters():
    (told,) = writers.of_commits([Commit("x\u202e[bot]\n")], ours=OURS)

    assert told.startswith("x\\u202e[bot]\\n (commit")


def _managed(manager="argocd-image-updater", time="2026-11-20T12:00:00Z", field="f:source"):
    fields = {"f:spec": {field: {"f:helm": {}}}}
    return {"metadata": {"managedFields": [{"manager": manager, "time": time, "fieldsV1": fields}]}}


def test_of_live_names_the_updater_that_patches_the_source():
    (told,) = writers.of_live(_managed(), since=NOON - timedelta(days=1))

    assert told == "Argo CD Image Updater (patched the Application, 2026-11-20 12:00)"


@pytest.mark.parametrize(
    "manifest",
    [
        _managed(manager="kubectl-edit"),
        _managed(manager="countersign"),
        _managed(time="2026-11-01T00:00:00Z"),
        _managed(time="soon"),
        _managed(field="f:destination"),
        {},
        {"metadata": {"managedFields": [None, {"fieldsV1": []}]}},
    ],
    ids=["person", "ourselves", "long ago", "no time", "other field", "empty", "garbage"],
)
def test_of_live_says_nothing_otherwise(manifest):
    assert writers.of_live(manifest, since=NOON - timedelta(days=1)) == []


def _resource(at):
    return {"metadata": {"name": "shop"}, "status": {"lastCheckedAt": at}}


def test_of_resources_names_the_updater_that_is_at_work():
    (told,) = writers.of_resources([_resource("2026-11-20T11:58:00Z")], at=NOON)

    assert told == "Argo CD Image Updater (works on ImageUpdater shop, 2026-11-20 11:58)"


@pytest.mark.parametrize("at", ["2026-11-20T09:00:00Z", "", "x", None, "2026-11-20T11:59:00"])
def test_of_resources_that_nobody_looked_at_lately_are_ours(at):
    assert writers.of_resources([_resource(at), {}, None], at=NOON) == []


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_of_resources_and_live_of_anything_never_fail(document):
    assert writers.of_resources([document], at=NOON) == []
    assert writers.of_live(document if isinstance(document, dict) else {}, since=NOON) == []
