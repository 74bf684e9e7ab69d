"""Which addresses are accepted, how they are shown, how they compare."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from updater.integrations.git import UrlRefusedError, urls


@pytest.mark.parametrize(
    ("url", "origin", "location"),
    [
        (
            "https://git.example/org/app.git",
            "https://git.example",
            "https://git.example/org/app.git",
        ),
        ("https://me@git.example/org/app", "https://git.example", "https://git.example/org/app"),
        ("HTTPS://git.example:8443/a", "https://git.example:8443", "https://git.example:8443/a"),
        (
            "ssh://git@git.example:22/org/a",
            "ssh://git.example:22",
            "ssh://git@git.example:22/org/a",
        ),
        ("git@git.example:org/app.git", "ssh://git.example", "git@git.example:org/app.git"),
        ("https://[::1]:3000/a/b", "https://[::1]:3000", "https://[::1]:3000/a/b"),
    ],
)
def test_parse_accepted_address_gives_origin_and_location_without_user(url, origin, location):
    address = urls.parse(url)

    assert (address.origin, address.location) == (origin, location)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://git.example/a", "http:// is not one of"),
        ("git://git.example/a", "git:// is not one of"),
        ("file:///etc", "write https://"),
        ("/srv/git/app.git", "write https://"),
        ("ext::sh -c id", "write https://"),
        ("ftp://git.example/a", "ftp:// is not one of"),
        ("https://me:secret@git.example/a", "it holds a password"),
        ("me:secret@git.example:a", "it holds a password"),
        ("--upload-pack=id", "write https://"),
        ("ssh://-oProxyCommand=id/a", "write https://"),
        ("ssh://-oProxyCommand=id@git.example/a", "characters that are not allowed"),
        ("-oProxyCommand=id@git.example:a", "characters that are not allowed"),
        ("https://git.example/org/../other", "dot segments"),
        ("https://git.example/org/%2e%2E/other", "dot segments"),
        ("https://git.example/org%2fother", "dot segments"),
        ("https://git.example/a\nb", "write https://"),
        ("https://git.example/a b", "write https://"),
        ('https://git.example/a"b', "write https://"),
        ("https://git.example", "write https://"),
        ("https://git.example/" + "a" * 3000, "write https://"),
        ("", "write https://"),
    ],
)
def test_parse_other_address_is_refused(url, why):
    with pytest.raises(UrlRefusedError, match=why) as refused:
        urls.parse(url)

    assert "secret" not in str(refused.value)


def test_parse_plain_http_when_allowed_is_accepted():
    assert urls.parse("http://127.0.0.1:80/a", allow_http=True).origin == "http://127.0.0.1:80"


@given(st.text(max_size=200))
def test_parse_any_text_raises_only_the_documented_error(text):
    try:
        address = urls.parse(text)
    except UrlRefusedError:
        return
    assert not address.location.startswith("-")
    assert not set(address.location) & set('\n\0"\\ ')


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:p%40ss@git.example/a?token=1", "https://git.example/a"),
        ("https://me:p/a@ss@git.example/a", "git.example/a"),
        ("https://me:p@a/ss@git.example/a", "git.example/a"),
        ("https://git.example/a@2", "https://git.example/a@2"),
        ("ssh://git@git.example/a@2", "ssh://git.example/a@2"),
        ("me:secret@host/x://y", "host/x://y"),
        ("git@git.example:org/app", "git.example:org/app"),
        ("me:secret@git.example:org/app", "git.example:org/app"),
        ("https://git.example/a\x1b[31mb", "https://git.example/a [31mb"),
    ],
)
def test_redact_address_shows_neither_user_nor_query(url, shown):
    assert urls.redact(url) == shown


@example(password="aaaaaaaa", noise="@a/")
@given(st.from_regex(r"[a-z]{8}", fullmatch=True), st.text("/:@?#a", max_size=8))
def test_redact_password_never_shows(password, noise):
    url = f"https://me:{noise}{password}@git.example/{noise.replace('@', '')}"

    assert password not in urls.redact(url)
    assert password not in urls.redact_all(f"fatal: unable to access '{url}'")
