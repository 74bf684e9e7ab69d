"""What an approved promotion waits for: windows, holds, soak, other Applications, other writers."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from approvals import policy
from approvals.models import Hold, Promotion
from tests import builders
from updater.models import Candidate, ImageTag, TagDigest

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)  # a Tuesday
KEYS = ["digest", "window", "hold", "soak", "upstream", "two_writers", "policy"]


def _gates(promotion, at=NOON):
    promotion = Promotion.objects.with_target().get(pk=promotion.pk)
    return {gate.key: gate for gate in policy.gates(promotion, at=at)}


def test_gates_without_a_policy_all_pass_in_the_order_people_ask(db):
    gates = policy.gates(builders.make_promotion(), at=timezone.now())

    assert [gate.key for gate in gates] == KEYS
    assert {gate.verdict for gate in gates} == {"pass"}
    assert all(gate.text.endswith(".") for gate in gates)


TAGS = {
    "same": ({}, "pass", "Same as sealed"),
    "moved": ({"digest": builders.digest("other")}, "block", "pushed again"),
    "gone": ({"removed_at": NOON}, "block", "gone from the registry"),
    "never asked": ({"digest": "", "digest_seen_at": None}, "unknown", "not asked"),
}


@pytest.mark.parametrize(("changes", "verdict", "words"), TAGS.values(), ids=TAGS)
def test_digest_gate_tells_what_the_registry_said_last(changes, verdict, words, db):
    promotion = builders.make_promotion()
    ImageTag.objects.update(**changes)

    gate = _gates(promotion)["digest"]

    assert (gate.verdict, words in gate.text) == (verdict, True)
    assert gate.is_open == (verdict == "pass")


def test_digest_gate_blocks_when_the_candidate_moved_before_the_tag_was_asked(db):
    promotion = builders.make_promotion()
    Candidate.objects.update(is_current=False)
    builders.make_candidate(
        promotion.tracked_image, promotion.to_tag, digest=builders.digest("other"), manifest=None
    )

    assert _gates(promotion)["digest"].verdict == "block"


FREEZE = """
rules:
- name: nights
  windows: {deny: [{name: night, reason: nobody is awake, cron: "0 20 * * *", duration: 10h, zone: Europe/Berlin}]}
"""  # fmt: skip


def test_w19_window_gate_in_a_freeze_waits_and_says_when_it_opens_in_both_clocks(stand):
    stand(FREEZE)
    promotion = builders.make_promotion()

    gate = _gates(promotion, at=datetime(2026, 5, 5, 22, tzinfo=UTC))["window"]

    assert (gate.verdict, gate.is_open) == ("wait", False)
    assert gate.changes_at == datetime(2026, 5, 6, 4, tzinfo=UTC)
    assert gate.text == (
        "Closed (night: nobody is awake). "
        "Opens Wed 06 May 2026 06:00 Europe/Berlin (2026-05-06 04:00 UTC)."
    )
    assert (gate.rule, gate.who) == ("nights", "whoever changes the policy file")


def test_window_gate_that_is_open_says_until_when(stand):
    stand(FREEZE)

    gate = _gates(builders.make_promotion())["window"]

    assert (gate.verdict, gate.changes_at) == ("pass", datetime(2026, 5, 5, 18, tzinfo=UTC))


def test_window_gate_that_opens_after_the_approval_is_over_says_so(stand):
    stand(FREEZE + "  expires: {approved: 1h}\n")

    gate = _gates(builders.make_promotion(), at=datetime(2026, 5, 5, 22, tzinfo=UTC))["window"]

    assert gate.text.endswith("That is after the approval is over.")


def test_window_gate_under_windows_that_never_open_blocks(stand):
    window = '{name: w, cron: "0 9 * * *", duration: 1h, zone: UTC}'
    stand(f"rules: [{{name: a, windows: {{allow: [{window}], deny: [{window}]}}}}]")

    gate = _gates(builders.make_promotion())["window"]

    assert (gate.verdict, gate.changes_at) == ("block", None)
    assert "not open again in sight" in gate.text


def _hold(**changes):
    values = {"scope": "everything", "reason": "incident 7", "by": "mei", "at": NOON}
    return Hold.objects.create(**{**values, **changes})


def test_hold_gate_blocks_what_the_hold_covers_and_nothing_else(db):
    promotion, other = builders.make_promotion(), builders.make_promotion()
    sibling = builders.make_promotion(
        builders.make_candidate(builders.make_tracked_image(promotion.application, "api"))
    )

    _hold(scope="image", tracked_image=promotion.tracked_image)
    image_only = [_gates(row)["hold"].verdict for row in (promotion, sibling, other)]
    _hold(scope="application", application=promotion.application)
    application = [_gates(row)["hold"].verdict for row in (promotion, sibling, other)]
    _hold()
    everything = [_gates(row)["hold"].verdict for row in (promotion, sibling, other)]

    assert image_only == ["block", "pass", "pass"]
    assert application == ["block", "block", "pass"]
    assert everything == ["block", "block", "block"]


def test_hold_gate_with_an_end_waits_until_then(db):
    promotion = builders.make_promotion()
    _hold(until=NOON + timedelta(hours=1))

    gate = _gates(promotion)["hold"]

    assert (gate.verdict, gate.changes_at) == ("wait", NOON + timedelta(hours=1))
    assert gate.text == "mei holds everything: incident 7."
    assert _gates(promotion, at=NOON + timedelta(hours=1))["hold"].verdict == "pass"


def test_hold_gate_of_a_released_one_passes(db):
    _hold(released_at=NOON, released_by="mei")

    assert _gates(builders.make_promotion())["hold"].verdict == "pass"


@pytest.mark.parametrize("scope", ["everything", "application", "image"])
def test_second_standing_hold_on_the_same_is_refused_by_the_database(scope, db):
    promotion = builders.make_promotion()
    target = {
        "everything": {},
        "application": {"application": promotion.application},
        "image": {"tracked_image": promotion.tracked_image},
    }[scope]
    _hold(scope=scope, **target, released_at=NOON)
    _hold(scope=scope, **target)

    with pytest.raises(IntegrityError, match="one_standing_hold"), transaction.atomic():
        _hold(scope=scope, **target)


MALFORMED = {
    "scope without its target": {"scope": "image"},
    "no reason": {"reason": ""},
    "end before start": {"until": NOON - timedelta(hours=1)},
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED)
def test_malformed_hold_is_refused_by_the_database(changes, db):
    with pytest.raises(IntegrityError), transaction.atomic():
        _hold(**changes)


def test_holds_covering_an_image_are_its_own_its_applications_and_the_stop_of_everything(db):
    image, other = builders.make_tracked_image(), builders.make_tracked_image()
    own = _hold(scope="image", tracked_image=image)
    above = _hold(scope="application", application=image.application)
    _hold(scope="image", tracked_image=other)
    everything = _hold()
    over = _hold(scope="application", application=other.application, until=NOON + timedelta(1))

    assert set(Hold.objects.covering(image)) == {own, above, everything}
    assert set(Hold.objects.over(NOON + timedelta(2))) == {over}


def test_soak_gate_waits_until_the_digest_is_old_enough(stand):
    stand("rules: [{name: a, soak: 2h}]")
    promotion = builders.make_promotion()
    Candidate.objects.update(found_at=NOON - timedelta(minutes=30))

    gate = _gates(promotion)["soak"]

    assert (gate.verdict, gate.changes_at) == ("wait", NOON + timedelta(minutes=90))
    assert gate.text == "First seen 30m ago; 2h is asked, 1h 30m are left."
    assert _gates(promotion, at=NOON + timedelta(minutes=90))["soak"].verdict == "pass"


def test_soak_gate_counts_from_the_first_time_the_registry_showed_the_digest(stand):
    stand("rules: [{name: a, soak: 2h}]")
    promotion = builders.make_promotion()
    Candidate.objects.update(found_at=NOON)
    tag = ImageTag.objects.get()
    TagDigest.objects.create(
        image_tag=tag, digest=promotion.to_digest, seen_from=NOON - timedelta(hours=3)
    )

    assert _gates(promotion)["soak"].verdict == "pass"


UPSTREAM = "rules: [{name: a, upstream: [{application: argocd/staging, for: 2h}]}]"


def _staging(promotion, *, ended_at=NOON - timedelta(hours=3), **application):
    """Make the Application upstream, in which the same digest succeeded."""
    values = {"seen_at": NOON, **application}
    staging = builders.make_application("staging", **values)
    image = builders.make_tracked_image(
        staging,
        "web",
        image_repository=promotion.tracked_image.image_repository,
        live_tag=promotion.to_tag,
        live_digest="",
    )
    candidate = Candidate.objects.create(
        tracked_image=image,
        tag=promotion.to_tag,
        digest=promotion.to_digest,
        is_current=False,
        found_at=NOON,
    )
    builders.make_promotion(candidate, status="SUCCEEDED", ended_at=ended_at)
    return image


def test_upstream_gate_passes_when_the_same_digest_is_healthy_there_long_enough(stand):
    stand(UPSTREAM)
    promotion = builders.make_promotion()
    _staging(promotion)

    gate = _gates(promotion)["upstream"]

    assert gate.verdict == "pass"
    assert gate.text == "argocd/staging runs it and is Healthy for 3h; 2h is asked."


def test_upstream_gate_waits_for_the_rest_of_the_time(stand):
    stand(UPSTREAM)
    promotion = builders.make_promotion()
    _staging(promotion, ended_at=NOON - timedelta(hours=1))

    gate = _gates(promotion)["upstream"]

    assert (gate.verdict, gate.changes_at) == ("wait", NOON + timedelta(hours=1))


def test_upstream_gate_counts_anew_after_the_health_changed(stand):
    stand(UPSTREAM)
    promotion = builders.make_promotion()
    changed = (NOON - timedelta(minutes=30)).isoformat()
    _staging(promotion, manifest={"status": {"health": {"lastTransitionTime": changed}}})

    assert _gates(promotion)["upstream"].changes_at == NOON + timedelta(minutes=90)


NOT_UPSTREAM = {
    "degraded": ({"health_status": "Degraded"}, "wait", "is Degraded"),
    "not seen lately": ({"seen_at": NOON - timedelta(hours=1)}, "unknown", "not seen lately"),
    "gone": ({"vanished_at": NOON}, "unknown", "not known here"),
}


@pytest.mark.parametrize(("changes", "verdict", "words"), NOT_UPSTREAM.values(), ids=NOT_UPSTREAM)
def test_upstream_gate_is_never_green_without_proof(changes, verdict, words, stand):
    stand(UPSTREAM)
    promotion = builders.make_promotion()
    _staging(promotion, **changes)

    gate = _gates(promotion)["upstream"]

    assert (gate.verdict, words in gate.text) == (verdict, True)


def test_upstream_gate_after_a_roll_back_there_waits(stand):
    stand(UPSTREAM)
    promotion = builders.make_promotion()
    image = _staging(promotion)
    image.live_tag = "main-0000000"
    image.save()

    gate = _gates(promotion)["upstream"]

    assert (gate.verdict, gate.text) == ("wait", "argocd/staging runs main-0000000.")


def test_upstream_gate_of_a_digest_we_did_not_bring_there_cannot_tell_since_when(stand):
    stand(UPSTREAM)
    promotion = builders.make_promotion()
    image = _staging(promotion)
    Promotion.objects.filter(tracked_image=image).update(to_digest=builders.digest("another"))
    image.live_digest = promotion.to_digest
    image.save()

    gate = _gates(promotion)["upstream"]

    assert (gate.verdict, "nobody knows since when" in gate.text) == ("unknown", True)


def test_rollback_passes_soak_and_upstream_by_what_it_is(stand):
    stand("rules: [{name: a, soak: 9d, upstream: [{application: argocd/nowhere}]}]")
    promotion = builders.make_promotion(kind="rollback")

    gates = _gates(promotion)

    assert (gates["soak"].verdict, gates["upstream"].verdict) == ("pass", "pass")


def test_rollback_overrides_the_gates_that_its_rule_names(stand):
    stand(FREEZE + "  rollback: {approvals: [{name: one, role: approver}], overrides: [window]}\n")
    night = datetime(2026, 5, 5, 22, tzinfo=UTC)
    _hold()

    forward = _gates(builders.make_promotion(), at=night)
    rollback = _gates(builders.make_promotion(kind="rollback"), at=night)

    assert forward["window"].verdict == "wait"
    assert (rollback["window"].verdict, rollback["window"].is_open) == ("override", True)
    assert rollback["window"].text.endswith("The rollback passes it.")
    assert rollback["hold"].verdict == "block"


@pytest.mark.parametrize(("setting", "verdict"), [("warn", "pass"), ("refuse", "block")])
def test_two_writers_gate_does_as_the_policy_says(setting, verdict, stand):
    stand(f"rules: [{{name: a, two_writers: {setting}}}]")
    candidate = builders.make_candidate()
    image = candidate.tracked_image
    plan = builders.make_plan(image.application, image.alias, image.live_tag, candidate.tag)
    promotion = builders.make_promotion(candidate, plan={**plan, "writers": ["Image Updater"]})

    gate = _gates(promotion)["two_writers"]

    assert (gate.verdict, gate.is_warning) == (verdict, setting == "warn")
    assert gate.text == "It is also written by Image Updater."


def test_policy_gate_blocks_what_was_sealed_under_other_requirements(stand):
    stand("")
    promotion = builders.make_promotion()
    stand("rules: [{name: a, approvals: [{name: two, role: approver, count: 2}]}]")

    gate = _gates(promotion)["policy"]

    assert (gate.verdict, "sealed anew" in gate.text) == ("block", True)


def test_policy_gate_while_the_file_is_broken_passes_with_a_warning(stand):
    stand("")
    promotion = builders.make_promotion()
    stand("rules: [")

    gate = _gates(promotion)["policy"]

    assert (gate.verdict, gate.is_warning) == ("pass", True)
    assert "the file is broken: line" in gate.text


def test_gate_as_dict_is_a_reason_with_its_verdict(stand):
    stand(FREEZE)

    told = _gates(builders.make_promotion(), at=datetime(2026, 5, 5, 22, tzinfo=UTC))["window"]

    assert told.as_dict() == {
        "gate": "window",
        "name": "Window",
        "verdict": "wait",
        "code": "gate_window",
        "sentence": told.text,
        "rule": "nights",
        "fact_at": "2026-05-05T22:00:00+00:00",
        "who": "whoever changes the policy file",
        "changes_at": "2026-05-06T04:00:00+00:00",
    }


def test_gates_of_asks_as_often_for_many_as_for_one(
    stand, django_assert_num_queries, django_assert_max_num_queries
):
    stand(UPSTREAM.replace("[{name: a,", "[{name: a, soak: 1h,"))
    for _ in range(5):
        builders.make_promotion()
    rows = list(Promotion.objects.with_target().select_related("tracked_image__image_repository"))

    with django_assert_max_num_queries(9) as few:
        policy.gates_of(rows[:1], at=NOON)
    with django_assert_num_queries(len(few)):
        policy.gates_of(rows, at=NOON)
