"""Who pushed a commit does not approve it: read from a real source repository, named on page, in API and refusal."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals import authorship, decisions
from approvals.models import Promotion
from tests import builders
from tests.integration.story.conftest import approve
from tests.integration.story.outside import MACHINE, Outside
from updater.audit import AuditKind
from updater.connections import Connections
from updater.models import AuditEvent

SOURCE = "acme/backend-source"
RULE = "version: 1\nrules: [{{name: a, exclude: [commit-authors], when_authors_unknown: {}}}]\n"


class Sources:
    """The source repository of the backend, and builds of its commits."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.url = outside.git.create_repository(SOURCE, {"main.py": b"print('hello')\n"})
        self.old = outside.git.log(SOURCE, "main")[0].sha
        self._build("main-aaaaaaa", self.old, created="2026-11-20T10:00:00Z")
        outside.add_example()
        outside.add_repository_secret("backend-source", self.url)

    def commit(self, author: str, message: str = "Greet louder") -> str:
        files = {"main.py": f"print('{author}')\n".encode()}
        return self.outside.git.commit(SOURCE, "main", files, message, author)

    def offer(self, sha: str, tag: str = "main-e1f492f") -> Promotion:
        self._build(tag, sha)
        self.outside.look()
        self.outside.propose()
        return Promotion.objects.get(to_tag=tag)

    def read(self) -> Promotion:
        authorship.sweep(world=Connections(), by=MACHINE)
        return Promotion.objects.get()

    def _build(self, tag: str, sha: str, **options: Any) -> None:
        labels = {authorship.SOURCE: self.url, authorship.REVISION: sha}
        self.outside.push(tag, labels=labels, **options)


@pytest.fixture
def sources(outside: Outside, tmp_path: Path, settings: Any) -> Sources:
    file = tmp_path / "policy.yaml"
    file.write_text(RULE.format("warn"), encoding="utf-8")
    settings.POLICY_FILE = str(file)
    return Sources(outside)


@pytest.fixture
def ana(transactional_db: None) -> User:
    """A developer who may approve, too."""
    person = builders.make_person("ana", role="approver", full_name="Ana Petrova")
    person.email = "Ana@Example.com"
    person.save()
    return person


def test_approve_by_who_pushed_the_commit_is_refused_with_the_commit_named(
    sources, ana, sre, client: Client
):
    sha = sources.commit("Ana Petrova <ana@example.com>")
    sources.offer(sha)
    promotion = sources.read()

    with pytest.raises(decisions.AlreadyDecidedError, match=f"ana wrote commit {sha[:10]}"):
        approve(promotion, ana)

    client.force_login(ana)
    page = client.get(f"/promotions/{promotion.pk}/").content.decode()
    told = client.get(f"/api/v1/promotions/{promotion.pk}").json()
    assert f"ana must not approve: wrote commit {sha[:10]}" in page
    assert f"/acme/backend-source/commit/{sha}" in page
    assert told["excluded"] == [
        {"username": "ana", "why": f"wrote commit {sha[:10]}", "commit": sha}
    ]
    assert AuditEvent.objects.filter(kind=AuditKind.DECISION_REFUSED).count() == 1
    assert approve(promotion, sre).status == "APPROVED"


def test_read_authors_changes_neither_seal_nor_revision(sources):
    sha = sources.commit("Ana Petrova <ana@example.com>")
    before = sources.offer(sha)

    after = sources.read()

    assert (after.seal, after.revision, after.subject) == (
        before.seal,
        before.revision,
        before.subject,
    )
    sources.outside.propose()
    assert Promotion.objects.get().authors["commits"] == [
        {"sha": sha, "address": "ana@example.com"}
    ]
    event = AuditEvent.objects.get(kind=AuditKind.AUTHORS_READ)
    assert '"people":"1 person"' in event.details


def test_read_authors_twice_asks_and_tells_once(sources):
    sources.offer(sources.commit("Ana Petrova <ana@example.com>"))

    first = authorship.sweep(world=Connections(), by=MACHINE)
    second = authorship.sweep(world=Connections(), by=MACHINE)

    assert (first, second) == (1, 0)
    assert AuditEvent.objects.filter(kind=AuditKind.AUTHORS_READ).count() == 1


def test_read_authors_where_no_policy_asks_reads_nothing(sources, settings):
    Path(settings.POLICY_FILE).write_text("version: 1\n", encoding="utf-8")
    sources.offer(sources.commit("Ana Petrova <ana@example.com>"))

    assert authorship.sweep(world=Connections(), by=MACHINE) == 0
    assert Promotion.objects.get().authors == {}


def test_co_author_is_excluded_as_the_author_is(sources, ana):
    trailer = "Pair\n\nCo-authored-by: Ana Petrova <ana@example.com>\n"
    sources.offer(sources.commit("Ben Wright <ben@example.com>", trailer))

    promotion = sources.read()

    with pytest.raises(decisions.AlreadyDecidedError, match="wrote commit"):
        approve(promotion, ana)


def test_approval_given_before_the_authors_were_read_does_not_carry(sources, ana):
    sources.offer(sources.commit("Ana Petrova <ana@example.com>"))
    approve(Promotion.objects.get(), ana)
    sources.read()

    sources.outside.execute()

    promotion = Promotion.objects.get()
    assert promotion.status == "PENDING"
    assert "may not approve any more" in promotion.status_reason
    assert len(sources.outside.git.log("acme/example-chart", "main")) == 1


def test_read_authors_that_leave_nobody_names_the_rule_at_once(sources, ana):
    sources.offer(sources.commit("Ana Petrova <ana@example.com>"))
    assert Promotion.objects.get().status_reason == ""

    promotion = sources.read()

    assert promotion.status_reason == (
        "approvers needs 1 of role approver, and only 0 could approve, 1 excluded (rule built-in)."
    )


def test_promotion_that_may_not_be_approved_unread_is_open_once_it_is_read(sources, sre, settings):
    Path(settings.POLICY_FILE).write_text(RULE.format("refuse"), encoding="utf-8")
    sources.offer(sources.commit("Mei Tanaka <mei@else.example>"))
    promotion = Promotion.objects.get()
    assert "were not read yet" in promotion.status_reason
    with pytest.raises(decisions.AlreadyDecidedError, match="It is not known who must not"):
        approve(promotion, sre)

    sre.email = "mei@else.example"
    sre.save()
    cleo = builders.make_person("cleo", role="approver")
    promotion = sources.read()

    assert promotion.status_reason == ""
    assert approve(promotion, cleo).status == "APPROVED"


def _problem(sources: Sources) -> str:
    return str(sources.read().authors["problem"])


def test_read_authors_after_a_force_push_says_that_the_builds_do_not_follow(sources):
    path = sources.outside.git.repositories.path(SOURCE)
    (path / "refs/heads/main").unlink()
    sources.offer(sources.commit("Ana Petrova <ana@example.com>"))

    assert "one build does not follow the other" in _problem(sources)
    assert Promotion.objects.get().authors["is_final"] is False


def test_read_authors_on_a_host_nobody_told_us_of_asks_nobody(sources):
    sources.url = "http://169.254.169.254/latest/meta-data"
    sources._build("main-aaaaaaa", sources.old, created="2026-11-20T10:00:00Z")
    sources.offer(sources.commit("Ana Petrova <ana@example.com>"))

    assert _problem(sources) == (
        "http://169.254.169.254/latest/meta-data is on a host for which Argo CD holds no "
        "repository, so it was not asked"
    )


@pytest.mark.parametrize(
    "url", ["file:///etc", "ext::sh -c id", "https://user:secret@host/x", "-oProxyCommand=id"]
)
def test_read_authors_of_an_address_that_is_none_is_refused(url, sources):
    sources.url = url
    sources._build("main-aaaaaaa", sources.old, created="2026-11-20T10:00:00Z")
    sources.offer(sources.commit("Ana Petrova <ana@example.com>"))

    problem = _problem(sources)
    assert problem
    assert "secret" not in problem


def test_read_authors_of_a_build_without_labels_says_which(sources):
    sources.outside.push("main-e1f492f")
    sources.outside.look()
    sources.outside.propose()

    assert _problem(sources) == ("the proposed build has no label org.opencontainers.image.source")
