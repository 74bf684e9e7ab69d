"""Who may approve what under a policy file: quorums side by side, exclusions, and a policy that changes meanwhile."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import decisions, doorbell, policy, promotions, resealing
from approvals.models import Decision, Promotion
from tests import builders
from tests.integration.conftest import WORKER
from updater.audit import Actor, AuditKind
from updater.models import AuditEvent, ImageManifest

TWO_GROUPS = """
rules:
- name: payments
  approvals: [{name: SREs, groups: [sre], count: 2}]
  mandatory_groups: [leads]
"""
AUTHORS = """
identities: {ana@example.com: ana}
ignored_authors: ["*bot*@example.com"]
rules: [{name: a, exclude: [builder, commit-authors], when_authors_unknown: %s}]
"""


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    monkeypatch.setattr(doorbell, "ring_execution", lambda: None)


@pytest.fixture
def people(person):
    return {
        "ana": person("ana", "approver", "sre"),
        "ben": person("ben", "approver", "sre", "leads"),
        "cleo": person("cleo", "approver", "leads"),
        "dan": person("dan", "approver"),
        "eve": person("eve", "sre"),
    }


def _by(person):
    return Actor(name=person.username, kind="person", via="page", user_id=person.pk)


def _approve(promotion, person, reason=""):
    fresh = Promotion.objects.get(pk=promotion.pk)
    return decisions.approve(
        promotion_id=fresh.pk, seal=fresh.seal, reason=reason, person=person, by=_by(person)
    )


def _explain(promotion, person):
    return policy.explain(promotion, person, at=timezone.now())


def test_approve_under_two_quorums_completes_when_each_has_its_own(stand, people):
    stand(TWO_GROUPS)
    promotion = builders.make_promotion()

    first = _approve(promotion, people["cleo"])
    second = _approve(promotion, people["ana"])
    last = _approve(promotion, people["ben"])

    assert [row.status for row in (first, second, last)] == ["PENDING", "PENDING", "APPROVED"]


def test_explain_shows_each_quorum_with_names_and_who_could_still_approve(stand, people):
    stand(TWO_GROUPS)
    promotion = builders.make_promotion()
    _approve(promotion, people["ben"])

    standing = _explain(promotion, people["ana"])

    sres, leads = standing.quorums
    assert (sres.name, sres.needed, sres.given, sres.eligible) == ("SREs", 2, ("ben",), ("ana",))
    assert (leads.name, leads.needed, leads.given, leads.missing) == ("leads", 1, ("ben",), 0)
    assert (standing.satisfies, standing.completes, standing.missing) == (("SREs",), True, 1)
    assert standing.can_approve
    assert [decision.by for decision in standing.given] == [people["ben"]]


def test_approve_that_would_count_for_nothing_is_refused_with_who_could(stand, people):
    stand(TWO_GROUPS)
    promotion = builders.make_promotion()

    standing = _explain(promotion, people["dan"])
    with pytest.raises(decisions.AlreadyDecidedError, match="count for nothing"):
        _approve(promotion, people["dan"])

    (reason,) = standing.why
    assert (reason.code, reason.who) == ("not_in_quorum", "ana, ben, cleo")
    assert [item.rule for item in reason.because] == ["payments", "payments"]
    assert reason.as_dict()["because"][0]["sentence"] == "SREs needs 2 more of group sre."


def test_approve_by_a_member_without_the_role_is_refused(stand, people):
    stand(TWO_GROUPS)

    standing = _explain(builders.make_promotion(), people["eve"])

    assert [reason.code for reason in standing.why] == ["not_approver"]
    assert "eve" not in standing.quorums[0].eligible


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("too few", "approvals: [{name: SREs, groups: [sre], count: 3}]"),
        ("empty group", "mandatory_groups: [nobody-yet]"),
    ],
)
def test_explain_of_a_rule_nobody_can_fulfil_names_it(name, text, stand, people):
    stand(f"rules: [{{name: strict, {text}}}]")

    standing = _explain(builders.make_promotion(), people["ana"])

    (sentence,) = standing.unsatisfiable
    assert "rule strict" in sentence
    assert standing.next_step == sentence


def test_explain_of_who_asked_excludes_them_whatever_the_policy_says(stand, people):
    stand("rules: [{name: a, exclude: []}]")
    promotion = builders.make_promotion(requested_by="ana")

    standing = _explain(promotion, people["ana"])

    assert [reason.code for reason in standing.why] == ["own_request"]
    assert [(item.username, item.why) for item in standing.excluded] == [
        ("ana", "asked for this promotion")
    ]


def _with_commits(*commits, problem="", **labels):
    promotion = builders.make_promotion()
    promotion.authors = {
        "digest": promotion.to_digest,
        "commits": [{"sha": sha, "address": address} for sha, address in commits],
        "problem": problem,
        "at": timezone.now().isoformat(),
    }
    promotion.save()
    ImageManifest.objects.filter(candidates=promotion.candidate_id).update(
        labels={"org.opencontainers.image.authors": labels.get("builder", "bot@example.com")}
    )
    return promotion


AUTHORSHIP = {
    "by the identity map": ("ana@example.com", "ana"),
    "whatever the case": ("Ana@Example.COM", "ana"),
    "by the account's address": ("ben@corp.example", "ben"),
    "by the username": ("cleo", "cleo"),
}


@pytest.mark.parametrize(("address", "name"), AUTHORSHIP.values(), ids=AUTHORSHIP)
def test_approve_by_who_wrote_a_commit_is_refused_with_the_commit_named(
    address, name, stand, people, person
):
    stand(AUTHORS % "refuse")
    people["ben"].email = "ben@corp.example"
    people["ben"].save()
    promotion = _with_commits(("c0ffee1234567", address), ("abc", "bot@example.com"))

    standing = _explain(promotion, people[name])
    with pytest.raises(decisions.AlreadyDecidedError, match="commit c0ffee1234"):
        _approve(promotion, people[name])

    assert [reason.code for reason in standing.why] == ["own_change"]
    assert _explain(promotion, people["dan"]).can_approve
    assert name not in standing.quorums[0].eligible
    assert (name, "wrote commit c0ffee1234") in [
        (item.username, item.why) for item in standing.excluded
    ]


def test_approve_by_who_built_the_image_is_refused(stand, people):
    stand(AUTHORS % "refuse")
    promotion = _with_commits(builder="Ana <ana@example.com>, Somebody <ben@corp.example>")
    people["ben"].email = "ben@corp.example"
    people["ben"].save()

    excluded = {item.username: item.why for item in _explain(promotion, people["dan"]).excluded}

    assert excluded == {"ana": "built the image", "ben": "built the image"}


def test_decision_by_who_turns_out_to_be_an_author_does_not_count(stand, people):
    two = "approvals: [{name: two, role: approver, count: 2}]"
    stand(f"rules: [{{name: a, {two}, exclude: [commit-authors]}}]")
    promotion = _with_commits()
    _approve(promotion, people["ana"])
    promotion.refresh_from_db()
    promotion.authors["commits"] = [{"sha": "abc", "address": "ana"}]
    promotion.save()

    standing = _explain(promotion, people["ben"])

    assert standing.given == ()
    assert (standing.missing, standing.completes) == (2, False)


UNKNOWN = {
    "unmapped address": {"commits": [("abc", "stranger@example.org")]},
    "unreadable history": {"commits": [], "problem": "the source repository is private"},
    "no label": {"commits": [], "builder": ""},
}


@pytest.mark.parametrize("how", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("setting", ["warn", "one-more", "refuse"])
def test_explain_when_authors_are_unknown_does_as_the_policy_says(setting, how, stand, people):
    stand(AUTHORS % setting)
    how = dict(how)
    promotion = _with_commits(*how.pop("commits"), **how)

    standing = _explain(promotion, people["dan"])

    assert standing.unknown
    assert standing.can_approve == (setting != "refuse")
    assert standing.quorums[0].needed == (2 if setting == "one-more" else 1)
    if setting == "refuse":
        assert [reason.code for reason in standing.why] == ["authors_unknown"]
        assert standing.unknown[0] in standing.reasons[0]


def test_explain_of_a_promotion_whose_commits_nobody_read_says_so(stand, people):
    stand(AUTHORS % "warn")

    unknown = _explain(builders.make_promotion(), people["dan"]).unknown

    assert unknown == (
        "the commits between the running and the proposed build were not read yet",
        "the image has no label org.opencontainers.image.authors",
    )


def test_policy_that_changes_what_is_asked_seals_anew_and_voids(stand, people):
    stand(TWO_GROUPS)
    promotion = builders.make_promotion()
    _approve(promotion, people["ana"])

    stand("")  # one approval is enough now, and one was given
    resealing.refresh(promotion.pk, by=WORKER)

    fresh = Promotion.objects.get()
    assert (fresh.status, fresh.revision) == ("PENDING", 2)
    assert fresh.subject["policy"] == policy.version_of(fresh.application)
    assert Decision.objects.get().void_reason == "What would be written changed: Policy."
    assert not policy.is_satisfied(fresh)


def test_policy_that_lowers_a_quorum_approves_nothing_by_itself(stand, people, policy_file):
    stand(TWO_GROUPS)
    promotion = builders.make_promotion()
    _approve(promotion, people["ana"])
    _approve(promotion, people["cleo"])
    policy_file.write_text(
        "version: 1\nrules: [{name: p, approvals: [{name: one, groups: [sre]}]}]"
    )

    promotions.sweep(world=None, by=WORKER)

    fresh = Promotion.objects.get()
    assert (fresh.status, fresh.revision) == ("PENDING", 2)
    assert policy.standing_approvals(fresh) == ()
    assert _approve(fresh, people["ana"]).status == "APPROVED"


def test_policy_that_changes_nothing_for_the_target_voids_nothing(stand, people):
    stand(TWO_GROUPS)
    promotion = builders.make_promotion()
    _approve(promotion, people["ana"])

    renamed = TWO_GROUPS.replace("SREs", "people of SRE").replace("payments", "shop")
    stand(renamed + "- {name: others, match: {projects: [other]}, soak: 9d}\n")
    resealing.refresh(promotion.pk, by=WORKER)

    fresh = Promotion.objects.get()
    assert (fresh.revision, Decision.objects.get().voided_at) == (1, None)


def test_policy_that_changes_before_the_click_refuses_the_old_seal(stand, people):
    stand("")
    promotion = builders.make_promotion()
    stand(TWO_GROUPS)

    with pytest.raises(decisions.SealChangedError):
        decisions.approve(
            promotion_id=promotion.pk,
            seal=promotion.seal,
            reason="",
            person=people["ana"],
            by=_by(people["ana"]),
        )

    assert not Decision.objects.exists()


def test_lapsed_approvers_names_who_lost_the_role_for_this_application(stand, people):
    stand("roles: [{role: approver, users: [eve], projects: [storefront]}]")
    promotion = builders.make_promotion()
    builders.make_decision(promotion, people["eve"])

    before = policy.lapsed_approvers(promotion)
    stand("roles: [{role: approver, users: [eve], projects: [other]}]")

    assert (before, policy.lapsed_approvers(promotion)) == ([], ["eve"])
    assert not policy.is_satisfied(promotion)


def test_approve_writes_down_the_rule_and_asks_for_the_reason_of_the_policy(stand, people):
    stand("rules: [{name: a, min_reason: {approve: 12, reject: 30}}]")
    promotion = builders.make_promotion()

    with pytest.raises(decisions.ReasonMissingError, match="12 characters"):
        _approve(promotion, people["ana"], reason="fine")
    with pytest.raises(decisions.ReasonMissingError, match="30 characters"):
        decisions.reject(
            promotion_id=promotion.pk,
            seal=promotion.seal,
            reason="too short for it",
            person=people["ana"],
            by=_by(people["ana"]),
        )
    _approve(promotion, people["ana"], reason="tested on staging")

    assert Decision.objects.get().rule == (
        "1 approval by somebody with the role approver, not by the person who asked for it."
    )


def test_expiry_is_that_of_the_policy(stand, people, settings):
    stand("rules: [{name: a, expires: {pending: 2h, approved: 30m}}]")
    application = builders.make_application()

    assert policy.pending_expiry(application) == timedelta(hours=2)
    assert policy.approved_expiry(application) == timedelta(minutes=30)
    stand("")
    assert policy.pending_expiry(application).total_seconds() == settings.PENDING_EXPIRY_SECONDS


def test_approved_promotion_expires_by_the_policy(stand, people):
    stand("rules: [{name: a, expires: {approved: 30m}}]")

    approved = _approve(builders.make_promotion(), people["ana"])

    assert approved.expires_at - approved.approved_at == timedelta(minutes=30)


def test_rule_selects_by_what_the_manifest_says(stand, people):
    match = "{labels: {tier: gold}, namespaces: [pay], clusters: [eu-1]}"
    stand(f"rules: [{{name: a, match: {match}, soak: 1h}}]")
    manifest = {
        "metadata": {"labels": {"tier": "gold"}},
        "spec": {"destination": {"namespace": "pay", "name": "eu-1"}},
    }
    chosen = builders.make_application(manifest=manifest)
    other = builders.make_application(manifest={"metadata": {"labels": ["tier"]}, "spec": None})

    assert policy.effective_of(chosen).soak_seconds == 3600
    assert policy.effective_of(other).soak_seconds == 0


def test_explain_all_asks_as_often_for_many_as_for_one(
    stand, people, django_assert_num_queries, django_assert_max_num_queries
):
    stand(AUTHORS % "one-more" + "roles: [{role: approver, groups: [leads]}]\n")
    several = [builders.make_promotion() for _ in range(6)]
    rows = list(Promotion.objects.with_target())

    with django_assert_max_num_queries(9) as few:
        policy.explain_all(rows[:1], people["ana"], at=timezone.now())
    with django_assert_num_queries(len(few)):
        found = policy.explain_all(rows, people["ana"], at=timezone.now())

    assert set(found) == {row.pk for row in several}


def test_refused_approval_under_a_policy_is_recorded_with_its_reason(stand, people):
    stand(TWO_GROUPS)
    promotion = builders.make_promotion()

    with pytest.raises(decisions.AlreadyDecidedError):
        _approve(promotion, people["dan"])

    event = AuditEvent.objects.get(kind=AuditKind.DECISION_REFUSED)
    assert "count for nothing" in json.loads(event.details)["reason"]


def test_approve_between_a_policy_that_pins_and_the_new_plan_is_refused(stand, person):
    stand("")
    promotion = builders.make_promotion()
    stand("rules: [{name: production, pin: digest}]")
    ana = person("ana", "approver")
    resealing.refresh(promotion.pk, by=Actor(name="ana"))
    promotion.refresh_from_db()

    standing = policy.explain(promotion, ana, at=timezone.now())

    assert not standing.can_approve
    assert standing.reasons == (
        "What would be written is not known: The policy pins by digest now; it is planned anew.",
    )
