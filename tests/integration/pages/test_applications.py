"""Applications: health, problems with their mend, registries, verdict of each tag."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals.queries import applications, tags
from approvals.queries.applications import Show, Wanted
from approvals.queries.scopes import EVERYTHING
from tests import builders
from updater.models import Refusal


def _get(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def _verdict(page: str, tag: str) -> str:
    verdicts = page.partition('id="verdicts-title"')[2]
    return verdicts.partition(f'<code class="tag">{tag}</code>')[2].partition("</tr>")[0]


def test_list_shows_health_pending_problems_and_registry(client: Client, sre: User):
    registry = builders.make_registry(
        "quay.example.org", error_code="unavailable", error_message="does not answer"
    )
    application = builders.make_application(
        "checkout", health_status="Degraded", problems=[{"key": "k", "alias": None, "fatal": True}]
    )
    repository = builders.make_image_repository(registry=registry, error_code="unavailable")
    image = builders.make_tracked_image(application, image_repository=repository)
    builders.make_promotion(builders.make_candidate(image))
    client.force_login(sre)

    page = _get(client, "/applications/")

    for words in ("Degraded", "1 silent", "quay.example.org", "does not answer"):
        assert words in page


def test_list_counts_each_filter(db: None):
    builders.make_application()
    builders.make_application(is_managed=False)
    builders.make_application(problems=[{"key": "k"}])
    builders.make_application(health_status="Degraded")
    builders.make_application(vanished_at=timezone.now())
    builders.make_promotion()

    counts = applications.counts(Wanted())

    assert counts == {
        Show.MANAGED: 4,
        Show.PENDING: 1,
        Show.PROBLEMS: 1,
        Show.ILL: 1,
        Show.UNMANAGED: 1,
        Show.ALL: 5,
    }


def test_list_pages_hold_every_row_exactly_once(db: None, monkeypatch):
    monkeypatch.setattr(applications, "PAGE_SIZE", 2)
    made = {builders.make_application().pk for _ in range(5)}

    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = applications.page(Wanted(), cursor)
        seen += [row.application.pk for row in page.rows]
        cursor, pages = page.next_cursor, pages + 1

    assert (pages, sorted(seen)) == (3, sorted(made))


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/applications/", "No Application is managed yet"),
        ("/applications/?q=zz", "Nothing matches"),
        ("/applications/?show=ill", "No Application is in this state"),
    ],
)
def test_list_empty_says_why(client: Client, sre: User, address: str, sentence: str):
    client.force_login(sre)

    assert sentence in _get(client, address)


@pytest.mark.parametrize("query", ["after=zz", "q=%00", "show=%27"])
def test_list_unreadable_filter_is_answered_with_400(client: Client, sre: User, query: str):
    client.force_login(sre)

    assert client.get(f"/applications/?{query}").status_code == 400


def test_application_names_key_value_and_mend_of_a_problem(client: Client, sre: User):
    problem = {
        "key": "argocd-image-updater.argoproj.io/web.allow-tags",
        "value": "regexp:^main-[",
        "message": "is no expression; close the bracket",
        "alias": "web",
        "fatal": True,
    }
    builders.make_application("checkout", problems=[problem])
    client.force_login(sre)

    page = _get(client, "/applications/argocd/checkout/")

    for words in (
        problem["key"],
        problem["value"],
        problem["message"],
        "every other image goes on",
    ):
        assert words in page


def test_application_gives_every_tag_its_verdict(client: Client, sre: User):
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    repository = image.image_repository
    builders.make_tag(repository, image.live_tag)
    old = timezone.now() - timedelta(days=4)
    builders.make_manifest(repository, image.live_tag, created=old)
    builders.make_promotion(builders.make_candidate(image, "main-e1f492f"))
    builders.make_tag(repository, "feature-77aa001", digest="")
    builders.make_tag(repository, "main-1111111")
    builders.make_manifest(repository, "main-1111111", created=old + timedelta(days=1))
    builders.make_tag(repository, "main-2222222")
    builders.make_manifest(repository, "main-2222222", problem="its configuration is no JSON")
    refused = builders.make_manifest(repository, "main-3333333")
    builders.make_tag(repository, "main-3333333")
    Refusal.objects.create(
        tracked_image=image,
        tag="main-3333333",
        digest=refused.digest,
        reason="Leaks memory",
        by="mei",
        at=old,
    )
    client.force_login(sre)

    page = _get(client, "/applications/argocd/checkout/")

    assert "Runs now" in _verdict(page, image.live_tag)
    assert "Offered" in _verdict(page, "main-e1f492f")
    assert "does not match allow-tags" in _verdict(page, "feature-77aa001").lower()
    assert "Allowed" in _verdict(page, "main-1111111")
    assert "no JSON" in _verdict(page, "main-2222222")
    assert "Leaks memory" in _verdict(page, "main-3333333")


def test_application_tags_come_by_page(sre: User, monkeypatch):
    monkeypatch.setattr(tags, "PAGE_SIZE", 2)
    image = builders.make_tracked_image()
    for number in range(5):
        builders.make_tag(image.image_repository, f"v{number}")

    first = tags.judged(image, at=timezone.now())
    last = tags.judged(image, at=timezone.now(), first=4)

    assert (first.total, len(first.rows), first.next_first) == (5, 2, 2)
    assert (len(last.rows), last.next_first) == (1, 0)


def test_application_unreadable_stored_configuration_is_said_not_raised(client: Client, sre: User):
    builders.make_tracked_image(builders.make_application("checkout"), configuration={"alias": 1})
    client.force_login(sre)

    assert "unreadable" in _get(client, "/applications/argocd/checkout/")


def test_application_shows_what_ran(client: Client, sre: User):
    image = builders.make_tracked_image(builders.make_application("checkout"), "web")
    ended = timezone.now() - timedelta(days=10, minutes=90)
    builders.make_promotion(builders.make_candidate(image), status="SUCCEEDED", ended_at=ended)
    client.force_login(sre)

    page = _get(client, "/applications/argocd/checkout/")

    assert "main-e1f492f, 10 d 1 h" in page
    assert "Succeeded" in page


def test_application_that_is_gone_still_has_its_page(client: Client, sre: User):
    builders.make_application("checkout", vanished_at=timezone.now())
    client.force_login(sre)

    assert "gone from the cluster since" in _get(client, "/applications/argocd/checkout/")


def test_application_recreated_shows_the_present_one(db: None):
    builders.make_application("checkout", vanished_at=timezone.now())
    present = builders.make_application("checkout")

    assert applications.find("argocd", "checkout", visible=EVERYTHING) == present


@pytest.mark.parametrize("address", ["argocd/none/", "argocd/checkout/?image=none"])
def test_application_that_does_not_exist_is_not_found(client: Client, sre: User, address: str):
    builders.make_application("checkout")
    client.force_login(sre)

    assert client.get(f"/applications/{address}").status_code == 404


@pytest.mark.parametrize("address", ["/applications/", "/applications/argocd/checkout/"])
def test_applications_other_methods_are_refused(client: Client, sre: User, address: str):
    builders.make_application("checkout")
    client.force_login(sre)

    assert client.post(address).status_code == 405


def test_application_trial_of_other_rules_judges_anew_and_keeps_nothing(client, viewer):
    client.force_login(viewer)
    image = builders.make_tracked_image()
    for name in ("main-1111111", "v1.2.0", "v1.3.0"):
        builders.make_tag(image.image_repository, name)
    application = image.application
    url = f"/applications/{application.namespace}/{application.name}/"
    before = image.configuration

    page = client.get(
        url, {"image": "web", "strategy": "semver", "constraint": "~1.2", "allow_tags": "regexp:^v"}
    )

    text = page.content.decode()
    image.refresh_from_db()
    assert page.status_code == 200
    assert "This is a trial" in text
    assert "Highest version that satisfies the constraint ~1.2" in text
    assert "Does not match allow-tags regexp:^v" in text
    assert image.configuration == before


@pytest.mark.parametrize(
    "query",
    [{"strategy": "os.system"}, {"allow_tags": "regexp:("}, {"constraint": "x" * 300}],
    ids=["strategy", "expression", "constraint"],
)
def test_application_trial_of_nonsense_says_so(client, viewer, query):
    client.force_login(viewer)
    image = builders.make_tracked_image()
    builders.make_tag(image.image_repository, "main-1111111")
    url = f"/applications/{image.application.namespace}/{image.application.name}/"

    page = client.get(url, {"image": "web", **query})

    assert page.status_code == 200
