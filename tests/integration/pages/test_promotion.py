"""The decide page: everything a decision needs, exact, and nothing that moves under the eyes."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals.models import Promotion
from tests import builders
from updater.audit import AuditKind


@pytest.fixture
def promotion(db: None) -> Promotion:
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    return builders.make_promotion(builders.make_candidate(image))


def _page(client: Client, promotion: Promotion, query: str = "") -> str:
    return client.get(f"/promotions/{promotion.pk}/{query}").content.decode()


def test_promotion_shows_both_digests_in_full(client: Client, sre: User, promotion):
    client.force_login(sre)

    page = _page(client, promotion).replace("<b>", "").replace("</b>", "").replace("<wbr>", "")

    assert promotion.from_digest in page
    assert promotion.to_digest in page


def test_promotion_shows_the_exact_difference_with_marks(client: Client, sre: User, promotion):
    client.force_login(sre)

    page = _page(client, promotion)

    assert "<code>.argocd-source-checkout.yaml</code>" in page
    assert "<del><i>4</i>-     value: <mark>main-9c07d1a</mark></del>" in page
    assert "<ins><i>4</i>+     value: <mark>main-e1f492f</mark></ins>" in page


def test_promotion_new_file_says_so(client: Client, sre: User):
    image = builders.make_tracked_image()
    plan = builders.make_plan(image.application, "web", "a", "b")
    plan["files"][0]["before"] = None
    promotion = builders.make_promotion(builders.make_candidate(image), plan=plan)
    client.force_login(sre)

    assert "new file" in _page(client, promotion)


def test_promotion_by_patch_shows_parameters_and_says_patch(client: Client, sre: User):
    image = builders.make_tracked_image()
    plan = {
        **builders.make_plan(image.application, "web", "v1", "v2"),
        "method": "argocd",
        "files": [],
    }
    promotion = builders.make_promotion(builders.make_candidate(image), plan=plan)
    client.force_login(sre)

    page = _page(client, promotion)

    assert "Approve and patch" in page
    assert "Nothing is committed" in page
    assert "<mark>v2</mark>" in page


def test_promotion_without_a_plan_says_why_and_cannot_be_approved(client: Client, sre: User):
    promotion = builders.make_promotion(plan={"error": "Git does not answer."})
    client.force_login(sre)

    page = _page(client, promotion)

    assert "Git does not answer." in page
    assert "Approve and" not in page


def test_promotion_old_plan_warns(client: Client, sre: User):
    image = builders.make_tracked_image()
    plan = builders.make_plan(image.application, "web", "a", "b") | {"stale": "Git is silent."}
    promotion = builders.make_promotion(builders.make_candidate(image), plan=plan)
    client.force_login(sre)

    assert "Git is silent." in _page(client, promotion)


def test_promotion_approver_gets_the_verdict_and_the_seal_in_the_form(
    client: Client, sre: User, promotion
):
    client.force_login(sre)

    page = _page(client, promotion)

    assert "You can approve. Yours is the last approval needed." in page
    assert f'name="seal" value="{promotion.seal}"' in page
    assert "one commit to main, then Argo CD syncs" in page


def test_promotion_viewer_gets_the_reason_instead_of_buttons(
    client: Client, viewer: User, promotion
):
    client.force_login(viewer)

    page = _page(client, promotion)

    assert "You cannot approve this one: You are not an approver" in page
    assert 'data-kind="primary"' not in page
    assert "disabled" in page


@pytest.mark.parametrize(
    ("status", "headline"),
    [
        ("APPROVED", "The next worker writes it"),
        ("EXECUTING", "A worker writes it now"),
        ("VERIFYING", "Waits until Argo CD reports it Synced and Healthy"),
        ("SUCCEEDED", "It runs."),
        ("FAILED", "the release is bad"),
        ("ERRORED", "the machinery could not go on"),
        ("UNKNOWN", "It is not certain what was written"),
        ("REJECTED", "Rejected."),
        ("EXPIRED", "Expired."),
        ("SUPERSEDED", "Set aside"),
        ("WITHDRAWN", "Withdrawn."),
        ("ABORTED", "Aborted before anything was written"),
    ],
)
def test_promotion_each_status_has_its_verdict_and_no_approve_button(
    client: Client, sre: User, status: str, headline: str
):
    promotion = builders.make_promotion(status=status, status_reason="Because of this.")
    client.force_login(sre)

    page = _page(client, promotion)

    assert headline in page
    assert "Because of this." in page
    assert "Approve and commit" not in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("PENDING", ("Runs now", "Proposed,", "What will be written", "Gates")),
        ("EXECUTING", ("Ran before", "On its way,", "What is written")),
        ("SUCCEEDED", ("Ran before", "Released,", "What was written")),
        ("REJECTED", ("Ran then", "Was proposed,", "What would have been written")),
    ],
)
def test_promotion_speaks_of_the_change_as_it_stands(
    client: Client, sre: User, status: str, words: tuple[str, ...]
):
    promotion = builders.make_promotion(status=status)
    client.force_login(sre)

    page = _page(client, promotion)

    assert [word for word in words if word not in page] == []
    assert ('id="gates-title"' in page) == ("Gates" in words)


def test_promotion_by_pull_request_says_so_and_links_it(client: Client, sre: User):
    image = builders.make_tracked_image()
    plan = builders.make_plan(image.application, "web", "a", "b")
    plan |= {"pull_request": {"host": "gitea", "labels": []}}
    record = {"name": "pull request #7", "url": "https://git.example.com/pulls/7", "head": "x"}
    promotion = builders.make_promotion(
        builders.make_candidate(image), plan=plan, pull_request=record
    )
    client.force_login(sre)

    page = _page(client, promotion)

    assert "Approve and open pull request" in page
    assert '<a href="https://git.example.com/pulls/7"' in page
    assert "a pull request to main" in page


def test_promotion_sealed_anew_under_an_open_page_is_loaded_from_the_start(
    client: Client, sre: User, promotion
):
    client.force_login(sre)

    answer = client.get(f"/promotions/{promotion.pk}/", headers={"HX-Request": "true"})

    assert (answer.content, answer.headers["HX-Refresh"]) == (b"", "true")


def test_promotion_shows_links_between_the_two_revisions(client: Client, sre: User, promotion):
    repository = promotion.tracked_image.image_repository
    running = builders.make_manifest(repository, promotion.from_tag)
    client.force_login(sre)

    page = _page(client, promotion)

    key = "org.opencontainers.image.revision"
    revisions = running.labels[key], promotion.candidate.manifest.labels[key]
    assert f"https://git.example.com/{repository.name}/compare/{'...'.join(revisions)}" in page


def test_promotion_label_that_is_no_web_address_is_text(client: Client, sre: User, promotion):
    manifest = promotion.candidate.manifest
    manifest.labels = {"org.opencontainers.image.source": "javascript:alert(1)"}
    manifest.save()
    client.force_login(sre)

    page = _page(client, promotion)

    assert 'href="javascript:' not in page
    assert "javascript:alert(1)" in page


def test_promotion_timeline_tells_events_with_their_reasons(client: Client, sre: User, promotion):
    builders.make_event(
        AuditKind.DECISION_REFUSED,
        by="jonas",
        promotion=promotion,
        verb="approve",
        reason="No role.",
    )
    client.force_login(sre)

    page = " ".join(_page(client, promotion).split())

    assert "<strong>jonas</strong> was refused to approve" in page
    assert "<blockquote>No role.</blockquote>" in page


def test_promotion_void_decision_stays_visible(client: Client, sre: User, viewer: User, promotion):
    builders.make_decision(
        promotion, viewer, voided_at=timezone.now(), void_reason="The digest changed."
    )
    client.force_login(sre)

    page = _page(client, promotion)

    assert "<s>Jonas Weber</s>" in page
    assert "The digest changed." in page


def test_promotion_way_back_names_a_tag_that_is_gone(client: Client, sre: User, promotion):
    builders.make_tag(
        promotion.tracked_image.image_repository,
        promotion.from_tag,
        removed_at=timezone.now() - timedelta(days=1),
    )
    client.force_login(sre)

    assert "gone from the registry since" in _page(client, promotion)


def test_promotion_shows_what_is_sealed(client: Client, sre: User, promotion):
    client.force_login(sre)

    page = _page(client, promotion)

    assert "web.tag: main-9c07d1a → main-e1f492f" in page
    assert "name checkout" in page


def test_promotion_pending_never_swaps_what_one_reads(client: Client, sre: User, promotion):
    client.force_login(sre)

    page = _page(client, promotion)

    assert page.count("data-live-region") == 1
    assert f"?seen={promotion.seal}" in page


@pytest.mark.parametrize(("mark", "is_told"), [("{seal}.1.PENDING", False), ("x", True)])
def test_promotion_freshness_speaks_only_when_something_changed(
    client: Client, sre: User, promotion, mark: str, is_told
):
    client.force_login(sre)
    address = f"/promotions/{promotion.pk}/?seen={mark.format(seal=promotion.seal)}"

    answer = client.get(address, headers={"HX-Request": "true"}).content.decode()

    assert ("changed while you read" in answer) == is_told


def test_promotion_running_one_renews_itself(client: Client, sre: User):
    promotion = builders.make_promotion(status="EXECUTING")
    client.force_login(sre)

    answer = client.get(f"/promotions/{promotion.pk}/", headers={"HX-Request": "true"})

    assert "A worker writes it now" in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        f"/promotions/{builders.NO_PROMOTION}/",
        "/promotions/1/",
        f"/promotions/{builders.NO_PROMOTION}/execution/",
    ],
)
def test_promotion_that_does_not_exist_is_not_found(client: Client, sre: User, address: str):
    client.force_login(sre)

    response = client.get(address)

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_promotion_other_methods_are_refused(client: Client, sre: User, promotion, method: str):
    client.force_login(sre)

    assert getattr(client, method)(f"/promotions/{promotion.pk}/").status_code == 405


def test_promotion_under_several_quorums_names_who_signed_and_who_still_can(
    client: Client, sre: User, person, stand
):
    stand(
        "roles: [{role: approver, groups: [sre, leads]}]\n"
        "rules: [{name: two, approvals: [{name: an SRE, groups: [sre]}], mandatory_groups: [leads]}]"
    )
    amara, _ = person("amara", "sre"), person("priya", "leads")
    promotion = builders.make_promotion()
    builders.make_decision(promotion, amara)
    client.force_login(sre)

    page = " ".join(client.get(f"/promotions/{promotion.pk}/").content.decode().split())

    assert "<strong>an SRE</strong>: 1 of 1 of group sre, by amara." in page
    assert "<strong>leads</strong>: 0 of 1 of group leads. Can still sign: priya." in page


@pytest.mark.parametrize("page", ["", "execution/"])
def test_promotion_of_a_release_that_was_replaced_does_not_claim_to_run(
    client: Client, sre: User, page: str
):
    old, now = builders.make_candidate(), timezone.now()
    new = builders.make_candidate(old.tracked_image, tag="main-newer00", is_current=False)
    release = builders.make_promotion(old, status="SUCCEEDED", pushed_at=now - timedelta(hours=2))
    builders.make_promotion(new, status="SUCCEEDED", pushed_at=now)
    client.force_login(sre)

    shown = _page(client, release, page)

    assert "It ran. main-newer00 took its place." in shown
    assert "It runs." not in shown
