import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.presenters import links

OLD, NEW = "9c07d1a" + "0" * 33, "e1f492f" + "0" * 33


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("https://github.com/acme/web", "https://github.com/acme/web"),
        ("https://github.com/acme/web.git", "https://github.com/acme/web"),
        ("http://git.example.com:3000/acme/web/", "http://git.example.com:3000/acme/web"),
        ("git@github.com:acme/web.git", "https://github.com/acme/web"),
        ("ssh://git@git.example.com/acme/web.git", "https://git.example.com/acme/web"),
        ("https://user:secret@git.example.com/acme/web", ""),
        ("javascript:alert(1)", ""),
        ("data:text/html,<script>alert(1)</script>", ""),
        ("//evil.example.com/x", ""),
        ("https://", ""),
        ("https://[::1", ""),
        ("https://git.example.com:99999/x", ""),
        ("", ""),
    ],
)
def test_source_follows_only_web_addresses_without_credentials(label: str, expected: str):
    assert links.source(label) == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("https://github.com/a/b", f"https://github.com/a/b/compare/{OLD}...{NEW}"),
        ("https://gitlab.com/a/b", f"https://gitlab.com/a/b/-/compare/{OLD}...{NEW}"),
        ("javascript:alert(1)", ""),
    ],
)
def test_comparison_speaks_the_dialect_of_the_host(label: str, expected: str):
    assert links.comparison(label, OLD, NEW) == expected


@pytest.mark.parametrize("revision", ["main", "9c07d1a\n", "9c07d1a/../..", "x" * 40, "", "abc"])
def test_commit_of_what_is_no_hash_is_no_link(revision: str):
    assert links.commit("https://github.com/a/b", revision) == ""


@given(st.text(max_size=200))
def test_source_property_any_text_gives_a_safe_link_or_none(label: str):
    link = links.source(label)

    assert link == "" or link.startswith(("http://", "https://"))
