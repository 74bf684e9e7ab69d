"""Tags and digests to manifests; digests are recomputed."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.unit.updater.integrations.registry.scripted import (
    BASIC,
    BEARER,
    MANIFEST_TYPE,
    ME,
    Scripted,
    build,
    challenge,
    index,
    reply,
    tagged,
)
from updater.integrations.registry import Limits, PlatformImage
from updater.integrations.registry import errors as registry_errors
from updater.integrations.registry.names import digest_of

TAG = "/v2/acme/app/manifests/main-1"
AMD64 = {"os": "linux", "architecture": "amd64"}
ARM64 = {"os": "linux", "architecture": "arm64"}
LIE = "sha256:" + "0" * 64


def manifest(answers, reference="main-1", **settings):
    registry = Scripted(answers, **settings)
    return registry, registry.run(lambda client: client.get_manifest("acme/app", reference))


def test_get_manifest_of_a_single_image_takes_two_requests():
    digest, answers = build(labels={"org.opencontainers.image.revision": "e1f492f"})

    registry, found = manifest(tagged(digest, answers))

    moment = datetime(2026, 11, 23, 10, tzinfo=UTC)
    labels = {"org.opencontainers.image.revision": "e1f492f"}
    assert (found.digest, found.created, found.labels, found.size) == (digest, moment, labels, 5)
    assert found.platforms == (PlatformImage("linux/amd64", digest, moment, labels, is_read=True),)
    assert len(registry.sent) == 2


def test_get_manifest_of_an_index_reads_the_wanted_platforms_only():
    old, old_answers = build("2026-11-22T10:00:00Z", {"on": "amd64"})
    new, new_answers = build("2026-11-23T10:00:00Z", {"on": "arm64"}, "arm64")
    top, answer = index([(old, AMD64), (new, ARM64)])
    registry = Scripted({TAG: [answer]} | old_answers | new_answers)

    found = registry.run(
        lambda client: client.get_manifest(
            "acme/app", "main-1", wanted=lambda one: one == "linux/amd64"
        )
    )

    assert (found.digest, found.labels) == (top, {"on": "amd64"})
    assert [(one.platform, one.is_read) for one in found.platforms] == [
        ("linux/amd64", True), ("linux/arm64", False),
    ]  # fmt: skip
    assert len(registry.sent) == 3


def test_get_manifest_of_an_index_takes_time_and_labels_of_the_newest():
    old, old_answers = build("2026-11-22T10:00:00Z", {"on": "amd64"})
    new, new_answers = build("2026-11-23T10:00:00Z", {"on": "arm64"}, "arm64")
    _, answer = index([(new, ARM64), (old, AMD64)])

    _, found = manifest({TAG: [answer]} | old_answers | new_answers)

    assert (found.created, found.labels) == (
        datetime(2026, 11, 23, 10, tzinfo=UTC),
        {"on": "arm64"},
    )


def test_get_manifest_of_an_index_within_an_index_is_refused_with_the_outer_digest():
    inner, inner_answer = index([])
    outer, outer_answer = index([(inner, AMD64)])

    with pytest.raises(registry_errors.UnsupportedManifestError) as caught:
        manifest({TAG: [outer_answer], f"/v2/acme/app/manifests/{inner}": [inner_answer]})

    assert caught.value.digest == outer


def test_get_manifest_of_an_index_with_too_many_wanted_platforms_is_refused_unread():
    _, answer = index([(f"sha256:{number:064x}", AMD64) for number in range(33)])
    registry = Scripted({TAG: [answer]})

    with pytest.raises(registry_errors.TooLargeError):
        registry.run(lambda client: client.get_manifest("acme/app", "main-1"))

    assert len(registry.sent) == 1


def test_get_manifest_r16_with_another_digest_in_the_header_is_an_alarm():
    digest, answers = build()
    answers = tagged(digest, answers)
    answers[TAG] = [
        reply(answers[TAG][0].content, content_type=MANIFEST_TYPE, docker_content_digest=LIE)
    ]

    with pytest.raises(registry_errors.DigestMismatchError) as caught:
        manifest(answers)

    assert LIE in str(caught.value)


def test_get_manifest_r16_with_other_bytes_than_asked_for_is_an_alarm():
    wanted, answers = build("2026-11-22T10:00:00Z")
    other, other_answers = build("2026-11-23T10:00:00Z")
    body = other_answers[f"/v2/acme/app/manifests/{other}"][0].content
    answers[f"/v2/acme/app/manifests/{wanted}"] = [reply(body, content_type=MANIFEST_TYPE)]

    with pytest.raises(registry_errors.DigestMismatchError):
        manifest(answers | other_answers, reference=wanted)


def test_get_manifest_r16_with_another_configuration_than_named_is_an_alarm():
    digest, answers = build()
    blob = next(path for path in answers if "/blobs/" in path)
    answers[blob] = [
        reply({"os": "linux", "architecture": "amd64", "created": "2030-01-01T00:00:00Z"})
    ]

    with pytest.raises(registry_errors.DigestMismatchError):
        manifest(tagged(digest, answers))


def test_get_manifest_r21_with_a_huge_configuration_stops_and_remembers_the_verdict():
    digest, answers = build(labels={"x": "y" * 5000})

    with pytest.raises(registry_errors.TooLargeError) as caught:
        manifest(tagged(digest, answers), limits=Limits(config_bytes=4000))

    assert caught.value.digest == digest


@pytest.mark.parametrize(
    ("headers", "is_named"), [({}, False), ({"docker_content_digest": "x"}, False)], ids=["none", "no-digest"]
)  # fmt: skip
def test_get_manifest_of_an_error_page_is_never_remembered_as_the_tags_content(headers, is_named):
    page = reply(b"<html>captive portal</html>", content_type="text/html", **headers)

    with pytest.raises(registry_errors.BadAnswerError) as caught:
        manifest({TAG: [page]})

    assert (caught.value.digest is not None) is is_named


def test_get_manifest_r18_remembers_that_the_registry_named_these_bytes_ambiguous():
    body = b'{"schemaVersion": 2, "manifests": [], "layers": []}'
    page = reply(body, content_type=MANIFEST_TYPE, docker_content_digest=digest_of(body))

    with pytest.raises(registry_errors.AmbiguousManifestError) as caught:
        manifest({TAG: [page]})

    assert caught.value.digest == digest_of(body)


def test_get_manifest_with_a_missing_tag_says_so():
    with pytest.raises(registry_errors.ManifestNotFoundError):
        manifest({})


def test_get_manifest_accepts_the_four_types_and_no_compression():
    digest, answers = build()

    registry, _ = manifest(tagged(digest, answers))

    accept = registry.sent[0].headers["accept"]
    assert accept.count("application/vnd.") == 4
    assert "v1+prettyjws" not in accept


@pytest.mark.parametrize("scheme", ["Basic realm=x", BEARER], ids=["basic", "bearer"])
def test_get_manifest_r07_follows_a_blob_redirect_without_credentials_or_cookies(scheme):
    digest, answers = build()
    blob = next(path for path in answers if "/blobs/" in path)
    redirect = reply(b"", 307, location="https://cdn.quay.io/x?sig=1", set_cookie="a=b")
    answers = tagged(digest, answers)
    answers |= {
        TAG: [challenge(scheme), *answers[TAG]],
        blob: [redirect],
        "cdn.quay.io/x": answers[blob],
        "registry.example/token": [reply({"token": "t1"})],
    }
    registry = Scripted(answers)

    found = registry.run(lambda client: client.get_manifest("acme/app", "main-1"), ME)

    assert found.digest == digest
    assert registry.authorizations(blob) in ([BASIC], ["Bearer t1"])
    last = registry.sent[-1]
    assert (last.url.host, last.url.query) == ("cdn.quay.io", b"sig=1")
    assert not {"authorization", "cookie"} & set(last.headers)


@pytest.mark.parametrize(
    "location",
    ["https://evil.example/x", "http://cdn.quay.io/x", "https://a@cdn.quay.io/x", "//169.254.169.254/x", "https://[x"],
)  # fmt: skip
def test_get_manifest_r07_with_a_redirect_to_a_strange_host_never_goes_there(location):
    digest, answers = build()
    blob = next(path for path in answers if "/blobs/" in path)
    registry = Scripted(tagged(digest, answers) | {blob: [reply(b"", 307, location=location)]})

    with pytest.raises(registry_errors.BadAnswerError) as caught:
        registry.run(lambda client: client.get_manifest("acme/app", "main-1"))

    assert {request.url.host for request in registry.sent} == {"registry.example"}
    assert caught.value.digest is None  # the operator may allow the host tomorrow


def test_get_manifest_r07_with_redirects_without_end_gives_up():
    digest, answers = build()
    blob = next(path for path in answers if "/blobs/" in path)
    registry = Scripted(tagged(digest, answers) | {blob: [reply(b"", 307, location=blob)]})

    with pytest.raises(registry_errors.BadAnswerError):
        registry.run(lambda client: client.get_manifest("acme/app", "main-1"))

    assert len(registry.sent) == 5


def test_head_digest_returns_the_header_with_one_request():
    digest, answers = build()
    registry = Scripted(tagged(digest, answers))

    found = registry.run(lambda client: client.head_digest("acme/app", "main-1"))

    assert (found, [request.method for request in registry.sent]) == (digest, ["HEAD"])


@pytest.mark.parametrize(
    "head", [httpx.Response(405), httpx.Response(200)], ids=["refused", "nameless"]
)
def test_head_digest_of_a_registry_that_does_not_name_it_computes_it(head):
    digest, answers = build()
    body = answers[f"/v2/acme/app/manifests/{digest}"][0].content
    registry = Scripted({TAG: [head, reply(body, content_type=MANIFEST_TYPE)]})

    assert registry.run(lambda client: client.head_digest("acme/app", "main-1")) == digest
    assert [request.method for request in registry.sent] == ["HEAD", "GET"]
