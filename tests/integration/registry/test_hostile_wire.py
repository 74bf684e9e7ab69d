"""Registries that break HTTP, over real sockets: each ends in a named error, in bounded time."""

import asyncio
import gzip
import socket
import time
import tracemalloc

import httpx
import pytest

from tests.integration.registry.clients import Endpoint, run, tags
from tests.integration.registry.raw import http, raw_server, says
from updater.integrations.registry import Access, Limits, NetworkRules, RegistryClient, network
from updater.integrations.registry import errors as registry_errors

TAGS = b'{"name": "acme/app", "tags": ["a"]}'


def never_answers(connection, stopping):
    stopping.wait(10)


def one_byte_at_a_time(connection, stopping):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not stopping.is_set():
        connection.sendall(b" ")
        stopping.wait(0.05)


def resets(connection, stopping):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


TIMEOUT = registry_errors.RegistryTimeoutError
BROKEN = registry_errors.RegistryUnavailableError
OTHER = TAGS.replace(b"acme/app", b"acme/db")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param(never_answers, TIMEOUT, id="never-answers"),
        pytest.param(one_byte_at_a_time, TIMEOUT, id="one-byte-at-a-time"),
        pytest.param(resets, BROKEN, id="resets"),
        pytest.param(says(), BROKEN, id="closes"),
        pytest.param(says(http(TAGS)[:-5]), BROKEN, id="closes-mid-body"),
        pytest.param(says(b"SSH-2.0-OpenSSH\r\n"), BROKEN, id="not-http"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), BROKEN, id="bad-length"),
        pytest.param(says(http(OTHER)), registry_errors.BadAnswerError, id="answers-another-request"),
    ],
)  # fmt: skip
def test_list_tags_r24_with_a_broken_answer_ends_in_its_error_in_time(script, error):
    started = time.monotonic()

    deadline = 0.4 if error is TIMEOUT else 20
    with raw_server(script) as server, pytest.raises(error):
        run(server.url, tags, deadline=deadline)

    assert time.monotonic() - started < 5


def test_list_tags_r24_with_nobody_listening_is_unavailable():
    with raw_server(says()) as server:
        url = server.url

    with pytest.raises(registry_errors.RegistryUnavailableError, match="no connection"):
        run(url, tags)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([f"X-{number}: {'a' * 300}" for number in range(300)], id="300-headers-of-300-bytes"),
        pytest.param(["X-Long: " + "a" * 1_000_000], id="one-megabyte"),
        pytest.param([f"X-{number}: a" for number in range(30_000)], id="30000-headers"),
    ],
)  # fmt: skip
def test_list_tags_r25_with_too_many_headers_is_refused(headers):
    refused = (registry_errors.BadAnswerError, registry_errors.RegistryUnavailableError)

    with raw_server(says(http(TAGS, headers=headers))) as server, pytest.raises(refused):
        run(server.url, tags)


def test_list_tags_r22_with_a_compressed_body_never_inflates_it():
    body = gzip.compress(b" " * 20_000_000)

    with raw_server(says(http(body, headers=["Content-Encoding: gzip"]))) as server:
        with pytest.raises(registry_errors.UnexpectedAnswerError):
            run(server.url, tags)
        assert "accept-encoding: identity" in server.requests[0].lower()


def test_list_tags_r07_never_sends_cookies_back():
    answer = http(TAGS, headers=["Set-Cookie: session=evil; Path=/", "Connection: close"])

    async def twice(client):
        await client.list_tags("acme/app")
        return await client.list_tags("acme/app")

    with raw_server(says(answer)) as server:
        run(server.url, twice)

        assert len(server.requests) == 2
        assert all("cookie" not in request.lower() for request in server.requests)


def test_list_tags_r37_with_proxy_variables_does_not_use_them(monkeypatch):
    with raw_server(says(http(TAGS))) as sink, raw_server(says(http(TAGS))) as server:
        for name in (
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
        ):
            monkeypatch.setenv(name, sink.url)

        assert run(server.url, tags).names == ("a",)

        assert (sink.connections, server.connections) == (0, 1)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_list_tags_r06_with_a_name_that_leads_to_loopback_is_refused(scheme):
    listed = frozenset({"registry.example"})  # not the host that is asked

    with raw_server(says(http(TAGS))) as server:
        port = server.host.partition(":")[2]
        with pytest.raises(
            (registry_errors.AddressRefusedError, registry_errors.InsecureRegistryError)
        ):
            run(
                f"{scheme}://localhost:{port}",
                tags,
                access=Access(rules=NetworkRules(allow_insecure_hosts=listed)),
            )

        assert server.connections == 0


def answers_of_dns(*addresses):
    queue = [
        [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in each]
        for each in addresses
    ]

    async def _look(host, port):
        return queue.pop(0) if len(queue) > 1 else queue[0]

    return _look


def test_list_tags_r06_with_a_rebinding_name_dials_the_address_that_was_checked(monkeypatch):
    with raw_server(says(http(TAGS))) as server:
        port = server.host.partition(":")[2]
        host = f"registry.test:{port}"
        # Once our server, then the metadata service: a second look-up would go there
        monkeypatch.setattr(network, "_look_up", answers_of_dns(["127.0.0.1"], ["169.254.169.254"]))

        assert run(f"http://{host}", tags, listed=[host]).names == ("a",)

        assert server.connections == 1


def test_list_tags_r06_with_one_private_address_among_public_ones_is_refused(monkeypatch):
    monkeypatch.setattr(network, "_look_up", answers_of_dns(["93.184.216.34", "127.0.0.1"]))

    with pytest.raises(registry_errors.AddressRefusedError):
        run("https://registry.test", tags, access=Access())


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.9"])
def test_list_tags_with_a_dead_first_address_tries_the_next(monkeypatch):
    with raw_server(says(http(TAGS))) as server:
        port = server.host.partition(":")[2]
        host = f"registry.test:{port}"
        monkeypatch.setattr(network, "_look_up", answers_of_dns(["127.0.0.9", "127.0.0.1"]))

        assert run(f"http://{host}", tags, listed=[host]).names == ("a",)


def test_list_tags_with_a_name_without_address_is_unavailable(monkeypatch):
    async def _fail(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(network, "_look_up", _fail)

    with pytest.raises(registry_errors.RegistryUnavailableError, match="has no address"):
        run("https://registry.test", tags)


class Endless(httpx.AsyncByteStream):
    """Thirty megabytes of tags, made on the way."""

    def __init__(self):
        self.sent = 0

    async def __aiter__(self):
        yield b'{"name": "acme/app", "tags": ["x"'
        while self.sent < 30_000_000:
            part = b"".join(b',"tag-%0140d"' % (self.sent + place) for place in range(400))
            self.sent += len(part)
            yield part
        yield b"]}"


def test_list_tags_r01_with_thirty_megabytes_stops_at_the_cap_and_stays_small():
    stream = Endless()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=stream))

    async def _run():
        async with httpx.AsyncClient(transport=transport) as http_client:
            return await tags(RegistryClient(http_client, Endpoint("https://registry.test")))

    tracemalloc.start()
    found = asyncio.run(_run())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert not found.is_complete
    assert stream.sent < 9_000_000
    assert peak < 64 * 1024 * 1024


def test_tls_contexts_refuse_old_protocols_and_are_made_once():
    strict = network._tls(insecure=False, ca_pem=None)

    assert strict.minimum_version.name == "TLSv1_2"
    assert strict is network._tls(insecure=False, ca_pem=None)
    assert network._tls(insecure=True, ca_pem=None).verify_mode.name == "CERT_NONE"


def test_limits_of_the_deadline_is_below_the_required_twenty_seconds():
    assert Limits().deadline_seconds <= 20
