"""The git host of the Git tests, speaking like each kind; the outside world of the story with it."""

import pytest

from tests.integration.git.conftest import host, template, url
from tests.integration.pull_requests import hosts
from tests.integration.story.conftest import outside

__all__ = ["client", "host", "kind", "outside", "template", "url"]


@pytest.fixture(params=hosts.KINDS)
def kind(request):
    return request.param


@pytest.fixture
def client(host, url, kind):
    hosts.speak(host, kind)
    return hosts.client(host, kind)
