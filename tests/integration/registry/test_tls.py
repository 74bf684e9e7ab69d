"""TLS over real sockets: certificates are checked against the name, unless the operator says otherwise."""

import shutil
import ssl
import subprocess

import pytest

from tests.integration.registry.clients import Endpoint
from tests.integration.registry.raw import RawServer, http, says
from updater.integrations.registry import Access, NetworkRules, network, resolve_digest
from updater.integrations.registry import errors as registry_errors

DIGEST = "sha256:" + "a" * 64
ANSWER = http(b"", headers=[f"Docker-Content-Digest: {DIGEST}"])

pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="no openssl to make a certificate"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",  # noqa: S607
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem", "-days", "2",
         "-subj", "/CN=registry.test", "-addext", "subjectAltName=DNS:registry.test"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def server(certificate, monkeypatch):
    """A TLS server whose name is registry.test, and everything leads to it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    server = RawServer(
        says(ANSWER), wrap=lambda connection: context.wrap_socket(connection, server_side=True)
    )
    server.start()
    monkeypatch.setattr(network, "_look_up", to_loopback)
    yield server
    server.stop()


async def to_loopback(host, port):
    return [(2, 1, 6, "", ("127.0.0.1", port))]


def resolve(server, name="registry.test", **settings):
    host = f"{name}:{server.host.partition(':')[2]}"
    endpoint = Endpoint(f"https://{host}", **settings)
    access = Access(rules=NetworkRules(allow_insecure_hosts=frozenset({host})))
    return resolve_digest(endpoint, "acme/app", "main-1", access=access)


def test_resolve_digest_with_the_right_authority_trusts_the_registry(server, certificate):
    pem = (certificate / "certificate.pem").read_text()

    assert resolve(server, ca_pem=pem) == DIGEST


def test_resolve_digest_with_an_unknown_authority_is_refused(server):
    with pytest.raises(registry_errors.RegistryUnavailableError, match="certificate"):
        resolve(server)

    assert server.requests == []


def test_resolve_digest_with_another_name_than_the_certificates_is_refused(server, certificate):
    pem = (certificate / "certificate.pem").read_text()

    with pytest.raises(registry_errors.RegistryUnavailableError, match="certificate"):
        resolve(server, name="other.test", ca_pem=pem)


def test_resolve_digest_with_verification_off_asks_nobody_for_proof(server):
    assert resolve(server, insecure=True) == DIGEST
