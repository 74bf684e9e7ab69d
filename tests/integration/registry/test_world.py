"""The product's client against the demo's registry: each kind of access, each fault, over real HTTP."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest

from onebox.world.registry import (
    Account,
    Anonymous,
    Basic,
    Bearer,
    Content,
    Fault,
    RegistryServer,
    RegistryWorld,
)
from onebox.world.registry.content import OCI_CONFIG, OCI_MANIFEST, Document
from tests.integration.registry.clients import Endpoint, run, tags
from tests.integration.registry.raw import http, raw_server, says
from updater.integrations.registry import Access, Credentials, Limits, NetworkRules, resolve_digest
from updater.integrations.registry import errors as registry_errors

ROBOT = Account("robot", "secret-canary")
LOGIN = Credentials("robot", "secret-canary")
WRONG = Credentials("robot", "guess")


@pytest.fixture(scope="module")
def server():
    with RegistryServer(RegistryWorld()) as one:
        yield one


@pytest.fixture
def serve(server):
    """Put another world behind the running server: starting one takes longer than a test."""

    def _serve(world):
        server.world = world
        return server

    return _serve


@pytest.fixture
def world(serve):
    server = serve(RegistryWorld())
    server.world.push("acme/app", "main-1", created="2026-11-22T10:00:00Z")
    return server


def access(server, **limits):
    rules = NetworkRules(allow_insecure_hosts=frozenset({server.host}))
    return Access(rules=rules, limits=Limits(**{"deadline_seconds": 20} | limits))


def accesses():
    return [
        pytest.param(Anonymous(), None, id="anonymous"),
        pytest.param(Basic(ROBOT), LOGIN, id="basic"),
        pytest.param(Bearer(ROBOT, clock=time.monotonic), LOGIN, id="bearer"),
        pytest.param(Bearer(clock=time.monotonic, is_public=True), None, id="anonymous-bearer"),
    ]


@pytest.mark.parametrize(("way", "credentials"), accesses())
def test_client_reads_tags_digest_and_manifest(way, credentials, serve):
    server = serve(RegistryWorld(access=way))
    digest = server.world.push(
        "acme/app", "main-1", created="2026-11-22T10:00:00Z", labels={"revision": "e1f492f"},
        platforms=("linux/amd64", "linux/arm64/v8"),
    )  # fmt: skip

    async def _everything(client):
        return (
            await client.list_tags("acme/app"),
            await client.head_digest("acme/app", "main-1"),
            await client.get_manifest("acme/app", "main-1"),
        )

    listed, head, manifest = run(server.url, _everything, credentials=credentials)

    assert listed.names == ("main-1",)
    assert head == manifest.digest == digest
    assert manifest.created == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert manifest.labels == {"revision": "e1f492f"}
    assert [one.platform for one in manifest.platforms] == ["linux/amd64", "linux/arm64/v8"]


@pytest.mark.parametrize(
    "way", [Basic(ROBOT), Bearer(ROBOT, clock=time.monotonic)], ids=["basic", "bearer"]
)
@pytest.mark.parametrize("credentials", [None, WRONG], ids=["none", "wrong"])
def test_client_r31_without_the_right_password_fails_with_its_error(way, credentials, serve):
    server = serve(RegistryWorld(access=way))
    server.world.push("acme/app", "main-1")

    with pytest.raises(registry_errors.AuthenticationFailedError):
        run(server.url, tags, credentials=credentials)


def test_client_r31_with_a_token_revoked_meanwhile_fetches_one_more(serve):
    bearer = Bearer(ROBOT, clock=time.monotonic)

    async def _twice(client):
        await client.list_tags("acme/app")
        bearer.revoke_all()
        return await client.list_tags("acme/app")

    server = serve(RegistryWorld(access=bearer))
    server.world.push("acme/app", "main-1")

    assert run(server.url, _twice, credentials=LOGIN).names == ("main-1",)
    assert server.world.counts == {"tags": 4, "token": 2}


def test_client_follows_pages_of_any_size(serve):
    server = serve(RegistryWorld(page_size=7))
    names = [f"main-{number:03}" for number in range(50)]
    for name in names:
        server.world.push("acme/app", name)

    listed = run(server.url, tags)

    assert (listed.names, listed.pages, listed.is_complete) == (tuple(names), 8, True)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(Fault(status=401), registry_errors.AuthenticationFailedError, id="401"),
        pytest.param(Fault(status=403), registry_errors.ForbiddenError, id="403"),
        pytest.param(Fault(status=404), registry_errors.RepositoryNotFoundError, id="404"),
        pytest.param(Fault(status=429, retry_after="9"), registry_errors.RateLimitedError, id="r27-429"),
        pytest.param(Fault(status=500), registry_errors.RegistryUnavailableError, id="r30-500"),
        pytest.param(Fault(status=504), registry_errors.RegistryUnavailableError, id="r30-504"),
        pytest.param(Fault(status=307, location="/x"), registry_errors.BadAnswerError, id="r07-redirect"),
        pytest.param(Fault(body="truncated"), registry_errors.BadAnswerError, id="r12-truncated"),
        pytest.param(Fault(body="html"), registry_errors.BadAnswerError, id="r12-html"),
        pytest.param(Fault(body="gzip"), registry_errors.BadAnswerError, id="r22-gzip"),
        pytest.param(Fault(body="cut-off"), registry_errors.RegistryUnavailableError, id="r24-cut-off"),
        pytest.param(Fault(delay_seconds=5), registry_errors.RegistryTimeoutError, id="r24-too-slow"),
    ],
)  # fmt: skip
def test_list_tags_with_a_fault_ends_in_its_error(world, fault, error):
    world.world.faults.add(fault, kind="tags")

    deadline = 0.4 if fault.delay_seconds else 20
    with pytest.raises(error):
        run(world.url, tags, access=access(world, deadline_seconds=deadline))


@pytest.mark.parametrize("body", ["huge", "endless-links"])
def test_list_tags_with_an_answer_without_end_is_incomplete(world, body):
    world.world.faults.add(Fault(body=body), kind="tags")

    listed = run(world.url, tags, access=access(world))

    assert not listed.is_complete
    assert world.world.counts["tags"] <= 100


def test_get_manifest_r16_with_a_wrong_digest_is_an_alarm(world):
    world.world.faults.add(Fault(body="wrong-digest"), kind="manifest")

    with pytest.raises(registry_errors.DigestMismatchError):
        run(world.url, lambda client: client.get_manifest("acme/app", "main-1"))


def test_get_manifest_r19_never_follows_the_addresses_of_foreign_layers(world):
    config = Document(b'{"os": "linux", "architecture": "amd64"}', "application/octet-stream")
    world.world.content.put_blob("acme/app", config)
    with raw_server(says(http())) as sink:
        foreign = {"digest": config.digest, "size": 5, "urls": [f"{sink.url}/layer"]}
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": foreign | {"mediaType": OCI_CONFIG},
            "layers": [foreign],
        }
        world.world.content.put(
            "acme/app", "foreign", Document(json.dumps(manifest).encode(), OCI_MANIFEST)
        )

        found = run(world.url, lambda client: client.get_manifest("acme/app", "foreign"))

        assert [one.platform for one in found.platforms] == ["linux/amd64"]
        assert sink.connections == 0


def test_a_fault_with_times_ends(world):
    world.world.faults.add(Fault(status=503, times=1))

    with pytest.raises(registry_errors.RegistryUnavailableError):
        run(world.url, tags)

    assert run(world.url, tags).names == ("main-1",)


def test_resolve_digest_sees_a_tag_pushed_again_r34(world):
    def look():
        return resolve_digest(Endpoint(world.url), "acme/app", "main-1", access=access(world))

    before = look()
    pushed = world.world.push("acme/app", "main-1", created="2026-11-23T10:00:00Z")

    assert look() == pushed != before


def test_world_keeps_what_was_pushed_over_a_restart(tmp_path):
    first = RegistryWorld(Content(tmp_path))
    digest = first.push(
        "acme/app", "main-1", labels={"a": "b"}, platforms=("linux/amd64", "linux/arm64")
    )

    second = Content(tmp_path)

    assert second.repositories["acme/app"].tags == {"main-1": digest}
    assert second.repositories == first.content.repositories


def test_world_killed_in_the_middle_of_a_line_keeps_all_others(tmp_path):
    first = RegistryWorld(Content(tmp_path))
    first.push("acme/app", "main-1")
    with (tmp_path / "builds.jsonl").open("a") as log:
        log.write('\n{"repository": "acme/app", "ta')

    RegistryWorld(Content(tmp_path)).push("acme/app", "main-2")

    assert list(Content(tmp_path).repositories["acme/app"].tags) == ["main-1", "main-2"]


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_registry_by_itself_serves_pushes_and_remembers(tmp_path, auth):
    accounts = tmp_path / "accounts"
    accounts.write_text("robot:secret-canary\n")
    command = [
        sys.executable, "-m", "onebox.world.registry", "--state", tmp_path / "state", "--auth", auth,
        "--accounts", accounts,
    ]  # fmt: skip

    for number in (1, 2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            url = process.stdout.readline().strip()
            post(url, f'{{"repository": "acme/app", "tag": "main-{number}"}}')
            names = run(url, tags, credentials=LOGIN).names
        finally:
            process.terminate()
            process.communicate(timeout=10)

    assert names == ("main-1", "main-2")


def post(url, text):
    request = urllib.request.Request(f"{url}/_push", data=text.encode(), method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_control_pushes_a_build_as_a_person_would_with_curl(world):
    status, answer = post(
        world.url,
        '{"repository": "acme/app", "tag": "main-2", "revision": "77aa001", "created": "2026-11-23T10:00:00Z"}',
    )
    manifest = run(world.url, lambda client: client.get_manifest("acme/app", "main-2"))

    assert (status, answer) == (201, {"digest": manifest.digest})
    assert manifest.labels == {"org.opencontainers.image.revision": "77aa001"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "nonsense", "{}", '{"repository": "../x", "tag": "a"}', '{"repository": "a", "tag": "a b"}',
     '{"repository": "a", "tag": "b", "platforms": ["linux"]}', '{"repository": "a", "tag": "b", "labels": 5}'],
)  # fmt: skip
def test_control_with_a_bad_order_says_what_is_wrong(world, text):
    status, answer = post(world.url, text)

    assert status == 400
    assert answer["error"]


def test_errors_have_the_form_of_the_specification(world):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{world.url}/v2/acme/nothing/tags/list", timeout=5)  # noqa: S310

    with caught.value as answer:
        body = json.load(answer)
    assert body["errors"][0]["code"] == "NAME_UNKNOWN"
