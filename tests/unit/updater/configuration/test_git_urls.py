"""URLs of git repositories: https, ssh and scp form, nothing else (case A13)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.configuration import git_urls
from updater.configuration.git_urls import GitURLError


@pytest.mark.parametrize(
    ("url", "is_ssh"),
    [
        ("https://github.com/acme/deploy.git", False),
        ("https://github.com/acme/deploy", False),
        ("https://org@dev.azure.com/org/project/_git/repo", False),
        ("https://git.example.com:8443/a/b.git", False),
        ("https://[::1]:8443/a.git", False),
        ("ssh://git@github.com/acme/deploy.git", True),
        ("ssh://git@git.example.com:2222/acme/deploy.git", True),
        ("ssh://git.example.com/r", True),
        ("git@github.com:acme/deploy.git", True),
        ("git@git.example.com:/srv/git/deploy.git", True),
        ("user.name@host:r", True),
    ],
)
def test_check_usual_url_is_kept_literally(url, is_ssh):
    assert git_urls.check(url) == url
    assert git_urls.is_ssh(url) is is_ssh


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% pwned",
        "EXT::sh",
        "ext::sh",
        "file:///etc",
        "fd::3",
        "/etc/passwd",
        "../r.git",
        "ssh://-oProxyCommand=x/y",
        "ssh://git@-oProxyCommand=x/y",
        "-oProxyCommand=x:y",
        "git@-oProxyCommand=x:y",
        "-x@host:y",
        "git@host:-y",
        "git@host::y",
        "https://u:p@host/r",
        "https://u:@host/r",
        "https://:p@host/r",
        "http://host",
        "https://host/r#x",
        "https://host/r?x",
        "https://host/r#",
        "https://host/r\n",
        "https://host/r x",
        "https://host/r\\x",
        "https://host",
        "https://host/",
        "https:///r",
        "https://ho_st/r",
        "https://host:port/r",
        "https://host:99999/r",
        "HTTPS://host/r",
        "git://host/r",
        "ftp://host/r",
        "oci://host/r",
        "https://exämple.com/r",
        "https://host/" + "a" * 2100,
        "host:r",
        "",
    ],
    ids=lambda url: ascii(url[:40]),
)
@pytest.mark.parametrize("allow_http", [False, True], ids=["https-only", "http-too"])
def test_check_a13_other_url_is_refused(url, allow_http):
    with pytest.raises(GitURLError):
        git_urls.check(url, allow_http=allow_http)


def test_check_a13_http_needs_the_parameter():
    with pytest.raises(GitURLError):
        git_urls.check("http://127.0.0.1:8080/r.git")

    assert (
        git_urls.check("http://127.0.0.1:8080/r.git", allow_http=True)
        == "http://127.0.0.1:8080/r.git"
    )


@given(st.text(max_size=60) | st.text(alphabet="htps:/@.-oa[]%", max_size=40))
def test_check_any_text_raises_only_the_documented_error(text):
    try:
        checked = git_urls.check(text, allow_http=True)
    except GitURLError:
        return

    assert checked == text
    assert not text.startswith("-")
