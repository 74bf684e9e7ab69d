"""The checks of executions as pure functions: each invariant broken on purpose, and seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from approvals.policy.effective import WindowRule
from approvals.policy.schedules import Schedule
from approvals.verification import (
    commits,
    contents,
    documents,
    heads,
    order,
    progress,
    starts,
    trail,
)
from approvals.verification.facts import (
    AttemptFacts,
    BranchFacts,
    CommitFacts,
    Edit,
    EventFacts,
    FileChange,
    PlannedFile,
    PromotionFacts,
)
from approvals.verification.findings import Finding, Report, Unchecked
from approvals.verification.starts import Limits

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATH = ".argocd-source-shop.yaml"
BEFORE = b"helm:\n  parameters:\n  - name: web.tag\n    value: old\n    forcestring: true\n"
AFTER = BEFORE.replace(b"old", b"new")

PROMOTION = PromotionFacts(
    id="p1",
    status="SUCCEEDED",
    application="argocd/shop",
    tracked_image=1,
    authentication="mac1",
    tag="new",
    digest="sha256:1",
    sealed_digest="sha256:1",
    repository="https://git.example.com/shop.git",
    branch="main",
    paths=(PATH,),
    edits=(Edit("helm.parameters.web.tag", "old", "new"),),
    files=(PlannedFile(PATH, BEFORE.decode(), AFTER.decode()),),
    commit="c1",
    status_at=NOW,
    status_reason="Synced and Healthy.",
    approved_at=NOW - HOUR,
    pushed_at=NOW,
    expires_at=NOW + HOUR,
)
CHANGE = FileChange(PATH, "100644", "100644", BEFORE, AFTER)
COMMIT = CommitFacts(
    sha="c1",
    parents=("c0",),
    committer="countersign@localhost",
    promotions=("p1",),
    authentications=("mac1",),
    digests=("registry/web@sha256:1",),
    changes=(CHANGE,),
)


def branch(*found: CommitFacts, **changes) -> BranchFacts:
    values = {"reachable": frozenset(commit.sha for commit in found), **changes}
    return BranchFacts(PROMOTION.repository, "main", "tip", found, **values)


def sentences(told) -> list[str]:
    return [item.sentence if isinstance(item, Finding) else item.why for item in told]


def changed(after: bytes, *, promotion: PromotionFacts = PROMOTION, **changes) -> list[str]:
    commit = replace(COMMIT, changes=(replace(CHANGE, after=after, **changes),))
    return sentences(contents.check([branch(commit)], {"p1": promotion}))


# I1, I2


def test_check_written_of_one_commit_for_one_promotion_is_silent():
    assert not list(commits.check_written([PROMOTION], {branch().place: branch(COMMIT)}))


def test_check_written_of_two_commits_tells_both():
    twice = branch(COMMIT, replace(COMMIT, sha="c2"))

    assert sentences(commits.check_written([PROMOTION], {twice.place: twice})) == [
        "It was written 2 times: c1, c2."
    ]


def test_check_written_of_a_branch_nobody_read_says_nothing_about_it():
    assert not list(commits.check_written([PROMOTION], {}))


def test_check_written_of_a_squashed_pull_request_needs_only_its_merge():
    row = replace(PROMOTION, is_pull_request=True, commit="merge")
    merged = branch(reachable=frozenset({"merge"}))

    assert not list(commits.check_written([row], {merged.place: merged}))


@pytest.mark.parametrize(
    ("commit", "words"),
    [
        (replace(COMMIT, promotions=(), authentications=()), "names no promotion"),
        (replace(COMMIT, promotions=("p9",), authentications=()), "p9, which does not exist"),
        (replace(COMMIT, authentications=("forged",)), "without our authentication"),
        (replace(COMMIT, authentications=("mac1", "mac7")), "of no promotion it names"),
    ],
    ids=["no promotion", "unknown promotion", "forged", "one too many"],
)
def test_check_approved_of_a_commit_that_is_not_ours_tells_it(commit, words):
    told = sentences(commits.check_approved([branch(commit)], {"p1": PROMOTION}))

    assert any(words in text for text in told)


def test_check_approved_on_another_branch_than_sealed_tells_it():
    rows = {"p1": replace(PROMOTION, branch="release")}

    assert sentences(commits.check_approved([branch(COMMIT)], rows)) == [
        "promotion p1 was approved for release."
    ]


# I4


def test_check_contents_of_the_sealed_bytes_is_silent():
    assert changed(AFTER) == []


def test_check_contents_of_another_value_tells_it():
    told = changed(BEFORE.replace(b"old", b"evil"))

    assert any("'old' to 'evil'" in text for text in told)
    assert any("not the approved new" in text for text in told)


def test_check_contents_of_one_more_key_tells_it():
    told = changed(AFTER + b"extra: 1\n")

    assert any("extra goes from nothing to '1'" in text for text in told)


def test_check_contents_of_a_comment_beside_the_sealed_bytes_tells_it():
    assert changed(AFTER + b"# hi\n") == [f"{PATH} is not, byte for byte, what was sealed."]


def test_check_contents_on_a_moved_base_allows_what_others_wrote():
    other = b"  - name: api.tag\n    value: three\n"

    assert changed(AFTER + other, before=BEFORE + other) == []


def test_check_contents_of_an_old_value_that_was_not_sealed_tells_it():
    told = changed(AFTER, before=BEFORE.replace(b"old", b"older"))

    assert any("'older' to 'new'" in text for text in told)


def test_check_contents_of_a_new_entry_allows_its_fields():
    row = replace(PROMOTION, edits=(Edit("helm.parameters.web.tag", None, "new"),), files=())

    assert changed(AFTER, promotion=row, before=None, old_mode="000000") == []


def test_check_contents_of_another_images_running_value_allows_what_was_shown():
    shown = Edit("helm.parameters.api.tag", None, "three")
    more = AFTER + b"  - name: api.tag\n    value: three\n    forcestring: true\n"
    row = replace(PROMOTION, beside=(shown,), files=())

    assert changed(more, promotion=row) == []
    assert changed(more.replace(b"three", b"four"), promotion=row) != []


@pytest.mark.parametrize("mode", ["120000", "100755", "160000", "000000"])
def test_check_contents_of_a_changed_mode_tells_it(mode):
    assert any("goes from mode 100644" in text for text in changed(AFTER, new_mode=mode))


def test_check_contents_of_a_file_nobody_approved_tells_it():
    other = FileChange("README.md", "100644", "100644", b"a", b"b")
    commit = replace(COMMIT, changes=(CHANGE, other))

    assert sentences(contents.check([branch(commit)], {"p1": PROMOTION})) == [
        "It changes README.md, which nobody approved."
    ]


def test_check_contents_of_a_commit_that_changes_nothing_tells_it():
    commit = replace(COMMIT, changes=())

    assert sentences(contents.check([branch(commit)], {"p1": PROMOTION})) == [
        f"It does not change {PATH}, which was approved."
    ]


def test_check_contents_that_nobody_can_read_says_so():
    commit = replace(COMMIT, changes=(replace(CHANGE, after=b"a: [\n"),))
    told = list(contents.check([branch(commit)], {"p1": replace(PROMOTION, files=())}))

    assert [type(item) for item in told] == [Unchecked]


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        (b"image:\n  tag: 1.10\n", "image.tag", "1.10"),
        (b"images:\n- name: web\n  newTag: a\n", "images.web.newTag", "a"),
        (b"web:\n- tag: a\n", "web[0].tag", "a"),
        (
            b"kustomize:\n  images:\n  - shop/web=reg:5000/shop/web:a\n",
            "kustomize.images.shop/web",
            "shop/web=reg:5000/shop/web:a",
        ),
    ],
    ids=["values", "kustomization", "list", "kustomize override"],
)
def test_flatten_of_each_kind_of_file_names_a_value_as_its_edit_does(text, name, value):
    found = documents.flatten(text).values()

    assert [scalar.value for scalar in found if name in scalar.names] == [value]


def test_flatten_of_a_document_that_never_ends_is_refused():
    bomb = b"a: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
        b"%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n" % (n + 1, n + 1, *[n] * 10)
        for n in range(ord("a"), ord("h"))
    )

    with pytest.raises(documents.UnreadableError):
        documents.flatten(bomb)


# I3, I10

TOLD = "Slow down. A longer wait was asked for: the next attempt is at 13:00 UTC."
TOLD_OTHERWISE = TOLD.replace("13:00", "12:30")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "APPROVED"}, "no attempt is due"),
        ({"status": "APPROVED", "next_attempt_at": NOW + HOUR}, "only at 2026-11-27 13:00"),
        (
            {"status": "ERRORED", "next_attempt_at": NOW + HOUR, "status_reason": TOLD_OTHERWISE},
            "only at 2026-11-27 13:00",
        ),
        (
            {"status": "ERRORED", "next_attempt_at": NOW + 25 * HOUR, "status_reason": TOLD},
            "only at 2026-11-28 13:00",
        ),
        ({"status": "APPROVED", "next_attempt_at": NOW - HOUR}, "due since 2026-11-27 11:00"),
        ({"status": "EXECUTING", "status_at": NOW - HOUR}, "no worker has held it"),
        ({"status": "VERIFYING", "pushed_at": NOW - HOUR}, "nobody judged it"),
        ({"status": "UNKNOWN", "pushed_at": None}, "no attempt is due"),
        ({"status": "ERRORED", "status_reason": ""}, "neither tries again"),
    ],
    ids=[
        "not due",
        "too late",
        "told otherwise",
        "a day",
        "overdue",
        "unattended",
        "not judged",
        "unknown",
        "errored",
    ],
)
def test_check_not_lost_of_a_forgotten_promotion_tells_why(changes, words):
    row = replace(PROMOTION, **changes)

    told = progress.check_not_lost([row], {}, at=NOW, outcome_deadline=timedelta(minutes=15))

    assert words in sentences(told)[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "APPROVED", "next_attempt_at": NOW},
        {"status": "ERRORED", "next_attempt_at": NOW + timedelta(minutes=8)},
        {"status": "ERRORED", "next_attempt_at": NOW + HOUR, "status_reason": TOLD},
        {"status": "ERRORED", "status_reason": "The host refuses us."},
        {"status": "SUCCEEDED"},
        {"status": "PENDING"},
    ],
    ids=["due", "again soon", "a host asked for it", "a person must act", "over", "undecided"],
)
def test_check_not_lost_of_what_goes_on_is_silent(changes):
    row = replace(PROMOTION, **changes)

    assert not list(
        progress.check_not_lost([row], {}, at=NOW, outcome_deadline=timedelta(minutes=15))
    )


def test_check_not_lost_of_a_held_execution_is_silent():
    row = replace(PROMOTION, status="EXECUTING", status_at=NOW - HOUR)
    held = AttemptFacts("p1", 1, NOW - HOUR, None, "RUNNING", is_lease_current=True)

    assert not list(
        progress.check_not_lost([row], {"p1": held}, at=NOW, outcome_deadline=timedelta(0))
    )


def test_check_ended_of_an_application_that_runs_another_image_tells_it():
    runs = {1: progress.Running("argocd/shop", frozenset({"zzz"}))}

    assert sentences(progress.check_ended([PROMOTION], runs)) == [
        "argocd/shop reports zzz, not the approved new."
    ]


def test_check_ended_asks_only_the_newest():
    newer = replace(PROMOTION, id="p2", tag="newer", digest="d", pushed_at=NOW + HOUR)
    runs = {1: progress.Running("argocd/shop", frozenset({"newer"}))}

    assert not list(progress.check_ended([PROMOTION, newer], runs))


# I5

TRAIL = heads.Trail(9, {7: "aaaa"})


@pytest.mark.parametrize(
    ("head", "last", "words"),
    [
        ("7:aaaa", 7, ""),
        ("7:bbbb", 9, "another event 7: the trail was written anew"),
        ("8:aaaa", 9, "another event 8"),
        ("10:aaaa", 9, "event 10, and the trail ends at 9: its end was cut off"),
        ("none", 9, "'none' as head of the trail"),
        ("\u0667:aaaa", 9, "as head of the trail"),
        ("0:", 9, "as head of the trail"),
    ],
    ids=["same", "written anew", "gone", "cut off", "no head", "odd digits", "zero"],
)
def test_check_heads_of_a_trail_tells_what_git_knows_otherwise(head, last, words):
    told = heads.check(
        [branch(replace(COMMIT, heads=(head,)))], {"p1": PROMOTION}, replace(TRAIL, last=last)
    )

    assert [words in sentence for sentence in sentences(told)] == ([True] if words else [])


@pytest.mark.parametrize(
    "changes", [{"authentications": ("other",)}, {"promotions": ("p2",)}], ids=["mac", "id"]
)
def test_check_heads_of_a_commit_that_is_not_ours_believes_nothing(changes):
    forged = branch(replace(COMMIT, heads=("99:aaaa",), **changes))

    assert heads.named([forged], {"p1": PROMOTION}) == set()
    assert not list(heads.check([forged], {"p1": PROMOTION}, TRAIL))


def event(sequence: int, kind: str, before: str = "", after: str = "", **details) -> EventFacts:
    told = {**({"from": before, "to": after} if after else {}), **details}
    return EventFacts(sequence, NOW, kind, "p1", details=told)


LIFE = [
    event(1, "promotion.opened"),
    event(2, "promotion.approved", "PENDING", "APPROVED"),
    event(3, "execution.started", "APPROVED", "EXECUTING"),
    event(4, "override.committed", commit="c1"),
    event(5, "execution.finished", "EXECUTING", "VERIFYING"),
    event(6, "promotion.succeeded", "VERIFYING", "SUCCEEDED"),
]


def trail_of(events, promotion: PromotionFacts = PROMOTION, attempts: int = 1) -> list[str]:
    return sentences(trail.check(events, {"p1": promotion}, {"p1": attempts}))


def test_check_trail_of_a_whole_life_is_silent():
    assert trail_of(LIFE) == []


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([*LIFE[:4], LIFE[5]], "leads from VERIFYING, and EXECUTING was told before"),
        ([*LIFE, LIFE[5]], "leads from VERIFYING, and SUCCEEDED was told before"),
        ([LIFE[1], *LIFE[:1], *LIFE[2:]], "and nothing was told before"),
        (LIFE[:5], "It is SUCCEEDED, and the trail leads to VERIFYING"),
        ([*LIFE[:3], *LIFE[4:]], "recorded as c1, the trail tells none"),
        ([*LIFE[:4], *LIFE[3:]], "the trail tells c1, c1"),
        ([], "does not tell that it was opened"),
        ([*LIFE, replace(LIFE[0], promotion="p7")], "no such promotion"),
    ],
    ids=["gap", "twice", "order", "last missing", "commit", "commits", "empty", "of nothing"],
)
def test_check_trail_that_does_not_fit_the_rows_tells_where(events, words):
    assert any(words in text for text in trail_of(events))


def test_check_trail_of_a_request_that_no_promotion_came_of_is_silent():
    asked = replace(event(1, "promotion.requested"), promotion="r1")

    assert not list(trail.check([asked], {}, {}, {"r1"}))


def test_check_trail_of_an_attempt_that_was_not_told_tells_it():
    assert trail_of(LIFE, attempts=2) == ["2 attempts stand in the ledger, 1 in the trail."]


# I7, I8

NO_LIMITS = Limits()
FREEZE = WindowRule("freeze", (Schedule("cron", "0 11 * * *", "", 7200, "UTC"),), ("rules",))


def starts_of(limits: Limits = NO_LIMITS, *events, **changes) -> list[str]:
    rows = {"p1": replace(PROMOTION, **changes)}
    return sentences(starts.check(rows, events or LIFE, {"p1": limits}))


def test_check_starts_inside_everything_is_silent():
    assert starts_of() == []


def test_check_starts_in_a_freeze_tells_it():
    assert "closed by freeze" in starts_of(Limits(deny=(FREEZE,)))[0]


def test_check_starts_in_a_freeze_that_an_emergency_passes_is_silent():
    assert starts_of(Limits(deny=(FREEZE,), overrides=frozenset({"window"}))) == []


def test_check_starts_under_a_hold_tells_it():
    held = starts.Stop("mei: incident", NOW - HOUR, None)

    assert "held: mei: incident" in starts_of(Limits(stops=(held,)))[0]


def test_check_starts_after_a_hold_was_released_is_silent():
    released = starts.Stop("mei: incident", NOW - HOUR, NOW)

    assert starts_of(Limits(stops=(released,))) == []


def test_check_starts_after_expiry_or_rejection_tells_it():
    rejected = event(2, "promotion.rejected", "APPROVED", "REJECTED")

    assert "after its approval expired" in starts_of(expires_at=NOW)[0]
    assert starts_of(Limits(), rejected, LIFE[2]) == ["It was started after it was rejected."]


def test_check_starts_of_a_resumed_attempt_asks_nothing_again():
    resumed = event(7, "execution.started", resumed=True)

    assert starts_of(Limits(deny=(FREEZE,)), resumed) == []


def test_check_digests_of_another_digest_tells_both_places():
    row = replace(PROMOTION, digest="sha256:2")

    told = sentences(starts.check_digests({"p1": row}, [branch(COMMIT)]))

    assert told == [
        "sha256:2 is not the sealed sha256:1.",
        "commit c1 names another digest than the approved one.",
    ]


def test_check_order_of_an_older_approval_written_later_tells_it():
    late = replace(PROMOTION, id="p2", authentication="mac2", approved_at=NOW - 2 * HOUR)
    after = replace(COMMIT, sha="c2", promotions=("p2",), authentications=("mac2",))

    told = list(order.check_branches([branch(COMMIT, after)], {"p1": PROMOTION, "p2": late}))

    assert [finding.about for finding in told] == ["promotion p2"]


def test_check_order_of_patches_goes_by_when_they_were_recorded():
    first = replace(PROMOTION, method="argocd", paths=())
    late = replace(first, id="p2", approved_at=NOW - 2 * HOUR, pushed_at=NOW + timedelta(minutes=1))

    assert [finding.about for finding in order.check_patches([late, first])] == ["promotion p2"]


# The report


def test_report_exit_code_is_nought_only_when_all_was_looked_at():
    whole, found, blind = Report(), Report(), Report()
    whole.add("I1", [], count=3)
    found.add("I1", [Finding("I1", "p1", "no"), Unchecked("I1", "main", "away")], count=3)
    blind.add("I1", [Unchecked("I1", "main", "away")], count=3)

    assert (whole.exit_code, found.exit_code, blind.exit_code) == (0, 1, 2)
