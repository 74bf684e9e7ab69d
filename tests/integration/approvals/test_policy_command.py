"""`manage.py policy`: errors with their line, what holds and why, and what a draft would have done."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from approvals import policy
from approvals.models import PolicyVersion, Promotion
from tests import builders

EXAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "policy.example.yaml"
STRICT = """version: 1
rules:
- name: production
  match: {applications: ["argocd/payments"]}
  approvals: [{name: SREs, groups: [sre], count: 2}]
  mandatory_groups: [leads]
  soak: 2h
  windows: {deny: [{name: always, cron: "0 * * * *", duration: 2h, zone: UTC}]}
"""


def _run(*words):
    out = StringIO()
    call_command("policy", *words, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def draft(tmp_path):
    path = tmp_path / "draft.yaml"
    path.write_text(STRICT, encoding="utf-8")
    return str(path)


def _payments(**changes):
    application = builders.make_application("payments")
    image = builders.make_tracked_image(application)
    return builders.make_promotion(builders.make_candidate(image), **changes)


def test_check_of_the_example_is_fine_and_notes_what_is_easily_missed(db):
    told = _run("check", str(EXAMPLE))

    assert told.endswith("is a policy with 5 rules.\n")
    assert "note: rule critical selects by labels" in told


def test_check_of_mistakes_tells_each_with_file_and_line(tmp_path, db):
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nrules:\n- name: a\n  soak: 3\n- {name: b, pin: no}\n")

    with pytest.raises(CommandError) as refused:
        _run("check", str(path))

    first, second = str(refused.value).splitlines()
    assert first == (
        f"{path}: line 4: rules[0].soak 3 is not a duration; write for example 30m, 2h, 7d or 1d12h"
    )
    assert second.startswith(f"{path}: line 5: rules[1].pin")
    assert not PolicyVersion.objects.exists()


def test_check_of_a_missing_file_says_so(tmp_path, db):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        _run("check", str(tmp_path / "nothing.yaml"))


def test_load_makes_the_file_stand(policy_file, db):
    policy_file.write_text(STRICT, encoding="utf-8")

    told = _run("load")

    assert told == f"The policy {policy.current().name} stands.\n"
    assert policy.current().document.rules[0].name == "production"


def test_load_of_a_broken_file_fails_with_the_line(policy_file, db):
    policy_file.write_text("version: 3\n", encoding="utf-8")

    with pytest.raises(CommandError, match="line 1: version 3 must be 1"):
        _run("load")


def test_load_without_the_setting_asks_for_it(db, settings):
    settings.POLICY_FILE = ""

    with pytest.raises(CommandError, match="Set POLICY_FILE"):
        _run("load")


def test_explain_shows_values_with_origins_votes_gates_and_the_person(stand, person):
    stand(STRICT.partition("\n")[2])
    promotion = _payments()
    person("ana", "approver", "sre")
    builders.make_decision(promotion, person("ben", "approver", "sre"))

    told = _run("explain", "argocd/payments", "--image", "web", "--user", "ana")

    for line in (
        f"argocd/payments: policy {policy.current().name}",
        "  Approvals               SREs: 2 approvals by somebody of group sre  [production]",
        "  Reason to reject        10 characters or more  [built-in]",
        "  Windows now             closed until no end in sight",
        "  SREs: 1 of 2 (ben); could still approve: ana",
        "  leads: 0 of 1 (nobody yet); could still approve: nobody",
        "leads needs 1 of group leads, and only 0 could approve (rule production).",
        "  ana can approve.",
        "  Window      Blocked     Closed (always). It does not open again in sight.  [production]",
    ):
        assert line in told


def test_explain_at_a_time_tells_of_that_time(stand):
    stand(
        "rules: [{name: a, windows: {deny: [{name: night, cron: 0 20 * * *, duration: 10h, zone: UTC}]}}]"
    )
    _payments()

    day = _run("explain", "payments", "--at", "2026-05-05T12:00")
    night = _run("explain", "payments", "--at", "2026-05-05T23:00+01:00")

    assert "open until Tue 05 May 2026 20:00 UTC" in day
    assert "closed until Wed 06 May 2026 06:00 UTC" in night


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["argocd/nothing"], "0 Applications are called argocd/nothing"),
        (["argocd/payments", "--user", "nobody"], "no account nobody"),
        (["argocd/payments", "--at", "noon"], "noon is no time; write 2026-12-24"),
    ],
    ids=["application", "user", "time"],
)
def test_explain_of_something_unknown_says_so(words, message, db):
    _payments()

    with pytest.raises(CommandError, match=message):
        _run("explain", *words)


def test_explain_of_an_author_whose_address_would_move_the_terminal_spells_it_out(stand, person):
    stand("rules: [{name: a, exclude: [commit-authors], when_authors_unknown: refuse}]")
    promotion, out = _payments(), StringIO()
    promotion.authors = {
        "digest": promotion.to_digest,
        "commits": [{"sha": "abc", "address": "\x1b[2Jnobody"}],
        "at": timezone.now().isoformat(),
    }
    promotion.save()
    person("ana", "approver")

    told = _run("explain", "payments", "--user", "ana")
    call_command("explain_promotion", str(promotion.pk), user="ana", stdout=out)

    for text in (told, out.getvalue()):
        assert "\\x1b[2Jnobody" in text
        assert "\x1b" not in text


def test_explain_without_an_open_promotion_still_tells_the_policy(db):
    builders.make_application("quiet")

    told = _run("explain", "quiet")

    assert "policy built-in" in told
    assert "No promotion is open." in told


def test_replay_counts_what_a_draft_would_have_changed(draft, person):
    promotion = _payments(status="SUCCEEDED", pushed_at=timezone.now())
    identity = {"username": "ana", "groups": ["sre"], "roles": ["approver"]}
    builders.make_decision(promotion, person("ana", "approver", "sre"), identity=identity)

    told = _run("replay", draft, "--since", "30d")

    assert "blocked       argocd/payments/web" in told
    assert "SREs: 1 of 2 by group sre [production]" in told
    assert "leads: 0 of 1 by group leads [production]" in told
    assert "closed at" in told
    assert "0s old, 2h of soak is asked [production]" in told
    assert told.endswith("2 blocked, 2 delayed, 0 auto-approved, 2 unsatisfiable, 0 cannot tell.\n")
    assert not PolicyVersion.objects.exists()


def test_replay_tells_what_would_have_been_approved_automatically(tmp_path, person):
    draft = tmp_path / "draft.yaml"
    draft.write_text("version: 1\nrules: [{name: a, auto_approve: {tags: ['main-*']}}]\n")
    person("ana", "approver")
    _payments(status="REJECTED")

    told = _run("replay", str(draft), "--since", "2020-01-01")

    assert "auto-approved argocd/payments/web" in told
    assert "whether it was healthy was not stored" in told
    assert "0 blocked, 0 delayed, 1 auto-approved, 0 unsatisfiable" in told


def test_replay_says_where_it_cannot_tell(tmp_path, person):
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        "version: 1\nrules: [{name: a, exclude: [builder], upstream: [{application: a/b}]}]\n"
    )
    promotion = _payments(status="SUCCEEDED")
    builders.make_decision(promotion, person("ana", "approver"))

    told = _run("replay", str(draft), "--since", "1d")

    assert "whether an approver is builder was not stored [a]" in told
    assert "what a/b ran was not stored [a]" in told
    assert "0 blocked" in told


def test_replay_looks_only_at_what_came_since(draft, db):
    _payments(created_at=timezone.now() - timedelta(days=40))

    assert _run("replay", draft, "--since", "30d").startswith("0 promotions since ")
    assert Promotion.objects.count() == 1


def test_replay_since_nonsense_says_how_to_write_it(draft, db):
    with pytest.raises(CommandError, match="write 30d or 2026-05-01"):
        _run("replay", draft, "--since", "yesterday")
