"""Signed commits, checked by git itself."""

import shutil

import pytest

from onebox.world.git_host import repositories
from tests.integration.git.scene import AT, ME, VALUES, commit, plain_git, run
from updater.integrations import git

NEW = {VALUES: b"image:\n  tag: v2\n"}


def check(origin, sha, *settings, **env):
    command = ("git", f"--git-dir={origin}", *settings, "verify-commit", "--raw", sha)
    return run(*command, env={**repositories.environment(), **env}, text=True, check=False)


def push(mirror, key):
    tip = mirror.fetch("main")
    sha = commit(mirror, tip, NEW, sign=key)
    assert commit(mirror, tip, NEW, sign=key) == sha  # the same on any worker
    mirror.push(sha, "main", expected=tip)
    return sha


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen on this machine")
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_commit_signed_with_ssh_is_accepted_by_git(mirror, origin, tmp_path, kind):
    key = tmp_path / "key"
    run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", key)
    key.chmod(0o644)  # as a mounted Secret often is
    (tmp_path / "allowed").write_text(f"{ME.email} {key.with_suffix('.pub').read_text()}")

    sha = push(mirror, git.SigningKey("ssh", str(key)))

    allowed = ("-c", f"gpg.ssh.allowedSignersFile={tmp_path}/allowed")
    done = check(origin, sha, *allowed)
    assert done.returncode == 0, done.stderr
    assert f'Good "git" signature for {ME.email}' in done.stderr
    assert plain_git(origin, "fsck", "--strict", "--no-dangling") == ""


@pytest.fixture
def ring(tmp_path_factory, monkeypatch):
    """A key ring with one key that existed when the commit is dated; its agent is ended afterwards."""
    if not shutil.which("gpg"):
        pytest.skip("no gpg on this machine")
    home = tmp_path_factory.mktemp("g")  # short: the agent's socket stands in it
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    created = f"{int(AT.timestamp()) - 86400}!"
    gpg = ("gpg", "--batch", "--quiet", "--faked-system-time", created, "--passphrase", "")
    run(*gpg, "--quick-generate-key", f"{ME.name} <{ME.email}>", "ed25519", "sign", "never")
    yield home
    run("gpgconf", "--kill", "all")


def test_commit_signed_with_openpgp_is_accepted_by_git(mirror, origin, ring):
    sha = push(mirror, git.SigningKey("openpgp", ME.email))

    done = check(origin, sha, GNUPGHOME=str(ring))
    assert done.returncode == 0, done.stderr
    assert "GOODSIG" in done.stderr


def test_commit_with_an_unknown_openpgp_key_says_so(mirror, ring):
    tip = mirror.fetch("main")

    with pytest.raises(git.SigningFailedError, match=r"nobody@example\.com"):
        commit(mirror, tip, NEW, sign=git.SigningKey("openpgp", "nobody@example.com"))


@pytest.mark.parametrize(
    ("method", "content"), [("ssh", "no key"), ("ssh", None), ("x509", "")], ids=str
)
def test_commit_with_a_key_that_cannot_sign_says_so(mirror, tmp_path, method, content):
    key = tmp_path / "key"
    if content is not None:
        key.write_text(content)
    tip = mirror.fetch("main")

    with pytest.raises(git.SigningFailedError):
        commit(mirror, tip, NEW, sign=git.SigningKey(method, str(key)))
