"""Many tags asked side by side: each gets its own digest or its own error, over few connections."""

import pytest

from onebox.world.registry import Fault, RegistryServer, RegistryWorld
from tests.integration.registry.clients import Endpoint
from updater.integrations.registry import Access, NetworkRules, Question, resolve_digests
from updater.integrations.registry import errors as registry_errors


@pytest.fixture
def server():
    with RegistryServer(RegistryWorld()) as one:
        yield one


def resolve(server, *questions):
    rules = NetworkRules(allow_insecure_hosts=frozenset({server.host}))
    asked = [Question(repository, tag) for repository, tag in questions]
    return resolve_digests(Endpoint(server.url), asked, access=Access(rules=rules))


def test_resolve_digests_of_many_tags_keeps_their_order(server):
    names = [f"acme/app-{number}" for number in range(30)]
    pushed = [server.world.push(name, "main-1") for name in names]

    assert resolve(server, *((name, "main-1") for name in names)) == pushed


def test_resolve_digests_one_that_fails_does_not_stop_the_others(server):
    pushed = server.world.push("acme/app", "main-1")
    server.world.push("acme/broken", "main-1")
    server.world.faults.add(Fault(status=503), repository="acme/broken")

    missing, found, broken = resolve(
        server, ("acme/app", "main-2"), ("acme/app", "main-1"), ("acme/broken", "main-1")
    )

    assert isinstance(missing, registry_errors.ManifestNotFoundError)
    assert found == pushed
    assert isinstance(broken, registry_errors.RegistryUnavailableError)


def test_resolve_digests_of_nothing_asks_nothing(server):
    assert resolve(server) == []
    assert not server.world.counts
