"""The tree of git errors: stable codes, and each is either worth another try or not."""

import inspect

import pytest

from updater.errors import PermanentError, TransientError
from updater.integrations.git import errors

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.GitError) and kind is not errors.GitError
]


@pytest.mark.parametrize("kind", KINDS)
def test_error_is_transient_or_permanent_and_stands_in_the_tree(kind):
    assert issubclass(kind, TransientError) != issubclass(kind, PermanentError)
    assert kind.__name__ in errors.__doc__


def test_error_codes_are_distinct():
    assert len({kind.code for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_of_names_the_repository_and_the_reason(kind):
    error = kind.of("git.example/app", "because {this}")

    assert "git.example/app" in str(error)
    assert str(error).endswith("because {this}")
    assert error.why == "because {this}"
