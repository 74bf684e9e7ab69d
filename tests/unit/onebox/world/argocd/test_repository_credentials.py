"""Which repository secret opens which repository (argo-cd.md, sections 6.3 and 6.4)."""

import base64

import pytest

from onebox.world.argocd.repository_credentials import Login, find, normalize

URL = "https://git.example/acme/deploy.git"


def _secret(kind: str = "repository", **fields: str):
    return {
        "metadata": {"labels": {"argocd.argoproj.io/secret-type": kind}},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in fields.items()},
    }


def _user(secrets: list, url: str = URL, project: str = "shop", **settings: bool) -> str | None:
    login = find(secrets, url, project, **settings)
    return login.username if login else None


OWN = _secret(url=URL, username="own", password="p")
PREFIX = _secret("repo-creds", url="https://git.example/acme", username="prefix", password="p")
LONGER = _secret("repo-creds", url="https://git.example/acme/dep", username="longer", password="p")


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        ([], None),
        ([OWN], "own"),
        ([_secret(url="HTTPS://GIT.example/Acme/Deploy", username="u", password="p")], "u"),
        ([PREFIX], "prefix"),
        ([PREFIX, LONGER], "longer"),
        ([PREFIX, OWN], "own"),
        ([_secret(url=URL), PREFIX], "prefix"),
        ([_secret(url=URL, username="blocks"), PREFIX], None),
        ([_secret(url=URL, project="other", username="no", password="p")], None),
        ([OWN, _secret(url=URL, project="shop", username="mine", password="p")], "mine"),
        ([_secret("cluster", url=URL, username="no", password="p")], None),
        ([_secret("repository-write", url=URL, username="no", password="p")], None),
    ],
    ids=[
        "none",
        "own",
        "any-case",
        "prefix",
        "longest-prefix",
        "own-before-prefix",
        "inherits",
        "user-name-blocks",
        "other-project",
        "own-project-first",
        "other-kind",
        "write-is-not-read",
    ],
)
def test_find_chooses_as_argo_cd_does(secrets: list, expected: str | None) -> None:
    assert _user(secrets) == expected


def test_find_has_no_boundary_at_a_path_segment() -> None:
    assert _user([PREFIX], "https://git.example/acmeorg/x") == "prefix"


def test_find_for_writing_asks_only_write_secrets() -> None:
    write = _secret("repository-write", url=URL, username="writer", password="p")

    assert _user([OWN, write], is_write=True) == "writer"
    assert _user([OWN], is_write=True) is None


@pytest.mark.parametrize(
    ("login", "header"),
    [
        (Login("u", "p"), "Basic dTpw"),
        (Login("", "p"), "Basic eC1hY2Nlc3MtdG9rZW46cA=="),
        (Login("", "", "t0ken"), "Bearer t0ken"),
    ],
    ids=["basic", "token-as-password", "bearer"],
)
def test_login_makes_its_header_and_hides_its_secret(login: Login, header: str) -> None:
    assert login.header == header
    assert "t0ken" not in repr(login)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Git.Example/Acme.git", "https://git.example/acme"),
        ("git@git.example:acme/x.git", "git@git.example/acme/x"),
        ("ssh://git@git.example/acme/x", "git@git.example/acme/x"),
        (" https://git.example/acme/ ", "https://git.example/acme/"),
    ],
    ids=["case", "scp", "ssh", "slash-stays"],
)
def test_normalize_makes_forms_comparable(url: str, expected: str) -> None:
    assert normalize(url) == expected
