"""Two spellings of one repository are the same text."""

import pytest

from updater import repository_urls


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        (" https://Git.Example/Org/App.git ", "https://git.example/org/app"),
        ("git@Git.Example:Org/App.git", "git@git.example/org/app"),
        ("ssh://git@git.example/org/app", "git@git.example/org/app"),
        ("https://git.example/a/", "https://git.example/a/"),
        ("https://me@git.example:443/a.git.git", "https://me@git.example:443/a.git"),
    ],
)
def test_normalize_address_as_argo_cd_compares_it(url, normal):
    assert repository_urls.normalize(url) == normal
