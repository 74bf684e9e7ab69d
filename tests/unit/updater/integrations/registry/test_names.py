"""Names that may stand in a registry's URL."""

import pytest

from updater.integrations.registry.errors import InvalidNameError
from updater.integrations.registry.names import digest_of, reference_path, repository_path


@pytest.mark.parametrize("name", ["nginx", "acme/frontend", "a/b/c", "a__b/c-d", "Upper/Case1"])
def test_repository_path_with_a_name_returns_it(name):
    assert repository_path(name) == name


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "../x", "a/../b", "a b", "a?x", "a%2fb", "a:b", "a" * 256, "é"]
)
def test_repository_path_with_something_else_is_refused(name):
    with pytest.raises(InvalidNameError):
        repository_path(name)


def test_reference_path_takes_tags_and_digests_only():
    digest = digest_of(b"x")

    assert [reference_path("v1"), reference_path(digest)] == ["v1", digest]
    for bad in ("", "-x", "a/b", "sha256:x", digest + "0", "a" * 129):
        with pytest.raises(InvalidNameError):
            reference_path(bad)
