"""Who may be talked to."""

import httpx
import pytest

from updater.integrations.registry.errors import AddressRefusedError, InsecureRegistryError
from updater.integrations.registry.rules import NetworkRules

STRICT = NetworkRules()
LISTED = NetworkRules(allow_insecure_hosts=frozenset({"10.0.0.5:5000", "registry.local"}))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1",  # noqa: S104  an input
        "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00::1", "224.0.0.1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "240.0.0.1",
    ],
)  # fmt: skip
def test_check_address_r06_with_an_address_that_is_not_public_is_refused(address):
    with pytest.raises(AddressRefusedError):
        STRICT.check_address("registry.example", 443, address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_check_address_with_a_public_address_passes(address):
    STRICT.check_address("registry.example", 443, address)


@pytest.mark.parametrize("host", ["registry.local", "10.0.0.5"])
@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "fd00::1"])
def test_check_address_of_a_listed_host_may_be_loopback_or_private(host, address):
    LISTED.check_address(host, 5000, address)


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "224.0.0.1"])
def test_check_address_of_a_listed_host_is_still_never_the_metadata_service(address):
    with pytest.raises(AddressRefusedError):
        LISTED.check_address("registry.local", 443, address)


def test_check_address_of_a_private_host_may_be_private_but_not_loopback():
    rules = NetworkRules(private_hosts=frozenset({"registry.corp"}))

    rules.check_address("registry.corp", 443, "10.1.2.3")
    with pytest.raises(AddressRefusedError):
        rules.check_address("registry.corp", 443, "127.0.0.1")


@pytest.mark.parametrize(
    "url",
    ["http://registry.example", "ftp://x", "https://user:pw@registry.example", "http://10.0.0.5:5001", "https://"],
)  # fmt: skip
def test_check_scheme_with_plain_http_or_worse_is_refused(url):
    with pytest.raises(InsecureRegistryError):
        LISTED.check_scheme(httpx.URL(url))


@pytest.mark.parametrize(
    "url", ["https://registry.example", "http://registry.local", "http://10.0.0.5:5000/v2/"]
)
def test_check_scheme_with_https_or_a_listed_host_passes(url):
    LISTED.check_scheme(httpx.URL(url))


@pytest.mark.parametrize(
    ("registry", "realm", "is_allowed"),
    [
        ("https://ghcr.io", "https://ghcr.io/token", True),
        ("https://registry-1.docker.io", "https://auth.docker.io/token", True),
        ("https://registry.example", "https://evil.example/t", False),
        ("https://registry.example", "http://registry.example/t", False),
        ("https://registry.example", "https://registry.example:8443/t", False),
        ("https://registry.example", "https://registry.example.evil/t", False),
        ("https://registry.example", "http://169.254.169.254/", False),
        ("https://registry.example", "", False),
        ("https://registry.example", "https://sso.example/t", True),
        ("https://ghcr.io", "https://auth.docker.io/token", False),
    ],
)
def test_allows_token_host_r09_r10_only_own_known_and_listed_hosts(registry, realm, is_allowed):
    rules = NetworkRules(token_hosts=frozenset({"sso.example"}))

    allowed = rules.allows_token_host(registry=httpx.URL(registry), realm=httpx.URL(realm))

    assert allowed is is_allowed


@pytest.mark.parametrize(
    ("target", "is_allowed"),
    [
        ("https://registry.example/blob", True),
        ("https://production.cloudflare.docker.com/x", True),
        ("https://bucket.s3.eu-central-1.amazonaws.com/x", True),
        ("https://cdn.example/x", True),
        ("https://evil.example/x", False),
        ("http://cdn.example/x", False),
        ("https://evilamazonaws.com/x", False),
        ("https://registry.example:444/x", False),
    ],
)
def test_allows_blob_host_r07_only_own_known_and_listed_hosts(target, is_allowed):
    rules = NetworkRules(blob_hosts=frozenset({"cdn.example"}))
    registry = httpx.URL("https://registry.example")

    assert rules.allows_blob_host(registry=registry, target=httpx.URL(target)) is is_allowed
