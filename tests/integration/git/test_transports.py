"""The ways in: HTTP with a password, HTTPS with its certificate, SSH with pinned keys, git's own daemon."""

import getpass
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from onebox.world.git_host import GitHost
from tests.integration.git.scene import FILES, PASSWORD, USER, VALUES, plain_git, run, write
from updater.integrations import git

NEW = {VALUES: b"image:\n  tag: v2\n"}
SSHD = "/usr/sbin/sshd"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port, process):
    for _ in range(250):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError("nobody answers")


def serve(port, *command):
    """Start a server of somebody else's, and wait until it answers."""
    process = subprocess.Popen(
        [str(word) for word in command], stderr=subprocess.PIPE, start_new_session=True
    )
    wait_for(port, process)
    return process


def stop(process):
    process.terminate()
    process.communicate(timeout=10)


# --- HTTP


def test_fetch_wrong_password_is_refused_and_never_told(make_mirror):
    with pytest.raises(git.AuthenticationRefusedError) as told:
        make_mirror(password="wrong-password-1").fetch("main")

    assert "wrong-password-1" not in str(told.value)


def test_fetch_user_of_another_repository_is_refused(host, make_mirror):
    url = host.create_repository("acme/secret", FILES, users=["somebody-else"])

    with pytest.raises(git.AuthenticationRefusedError):
        make_mirror(address=url).fetch("main")


def test_fetch_missing_repository_is_named(host, make_mirror):
    with pytest.raises(git.RepositoryNotFoundError, match="acme/nope"):
        make_mirror(address=f"{host.url}/acme/nope.git").fetch("main")


def test_fetch_password_is_sent_with_the_first_request(host, mirror):
    mirror.fetch("main")

    assert all(request.endswith(" with authorization") for request in host.requests)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_fetch_failing_host_is_worth_another_try(host, mirror, status):
    host.faults.status = status

    with pytest.raises(git.RepositoryUnreachableError):
        mirror.fetch("main")

    host.faults.status = 0
    assert mirror.fetch("main")


def test_fetch_silent_host_is_worth_another_try(host, mirror):
    host.faults.refuses = True

    with pytest.raises(git.RepositoryUnreachableError):
        mirror.fetch("main")


def test_fetch_absent_host_is_worth_another_try(make_mirror):
    with pytest.raises(git.RepositoryUnreachableError):
        make_mirror(address=f"http://127.0.0.1:{free_port()}/a.git").fetch("main")


@pytest.mark.parametrize("act", ["fetch", "default_branch", "branch_exists"])
def test_call_g18_redirect_is_not_followed_and_no_password_goes_there(host, mirror, tmp_path, act):
    other = GitHost(tmp_path / "other").start()
    other.create_repository("acme/gitops", FILES)
    host.faults.redirect_to = other.url
    arguments = () if act == "default_branch" else ("main",)

    with pytest.raises(git.RepositoryMovedError):
        getattr(mirror, act)(*arguments)

    other.stop()
    assert not other.requests


def test_push_without_the_right_to_write_is_refused(mirror, origin):
    plain_git(origin, "config", "http.receivepack", "false")

    with pytest.raises(git.AuthenticationRefusedError):
        write(mirror, NEW)


def test_mirror_plain_http_is_refused_unless_allowed(url, tmp_path):
    with pytest.raises(git.UrlRefusedError):
        git.GitMirror(tmp_path / "m", git.Remote(url))


def test_call_with_a_github_app_that_was_not_exchanged_is_refused(url, tmp_path):
    app = git.GitHubAppKey("1", "key")
    remote = git.Remote(url, git.Credentials(github_app=app), allow_http=True)

    with pytest.raises(git.CredentialsUnusableError):
        git.GitMirror(tmp_path / "m", remote).fetch("main")


def test_call_without_the_git_program_says_so(mirror, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(git.GitProgramMissingError, match="git"):
        mirror.fetch("main")


def test_call_own_settings_of_the_machine_have_no_effect(mirror, monkeypatch, tmp_path):
    settings = tmp_path / "gitconfig"
    settings.write_text('[url "http://127.0.0.1:1/"]\n\tinsteadOf = http://\n[core]\n\tbare = no\n')
    for name, value in {
        "GIT_CONFIG_GLOBAL": settings,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.proxy",
        "GIT_CONFIG_VALUE_0": "http://127.0.0.1:1",
        "GIT_DIR": tmp_path,
        "GIT_TRACE": tmp_path / "trace",
        "http_proxy": "http://127.0.0.1:1",
        "HOME": tmp_path,
    }.items():
        monkeypatch.setenv(name, str(value))

    assert mirror.fetch("main")
    assert not (tmp_path / "trace").exists()


def test_call_secrets_stand_in_no_argument_and_no_variable(host, mirror, tmp_path):
    host.faults.delay_seconds = 0.3
    fetching = threading.Thread(target=mirror.fetch, args=("main",))
    fetching.start()
    seen = b""
    while fetching.is_alive():
        seen += b"".join(_words_of_programs(str(tmp_path).encode()))
        time.sleep(0.02)
    fetching.join()

    assert b"include.path" in seen
    assert PASSWORD.encode() not in seen
    assert git.Credentials(USER, PASSWORD).authorization.split()[1].encode() not in seen
    assert not (tmp_path / "mirrors" / "mirror" / "private").exists()


def _words_of_programs(mark):
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if mark in command:
                yield command + (process / "environ").read_bytes()


# --- HTTPS


@pytest.fixture
def https(tmp_path):
    """A git host with a certificate of its own; yields its URL and the certificate."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = GitHost(tmp_path / "tls", {USER: PASSWORD}, tls=context).start()
    yield server.create_repository("acme/gitops", FILES), certificate.read_text()
    server.stop()


def test_write_over_https_with_the_authority_of_the_host_succeeds(https, tmp_path):
    url, certificate = https
    credentials = git.Credentials(USER, PASSWORD, ca_pem=certificate)

    mirror = git.GitMirror(tmp_path / "m", git.Remote(url, credentials))

    assert url.startswith("https://")
    assert mirror.read_file(write(mirror, NEW), VALUES) == NEW[VALUES]


def test_fetch_over_https_without_the_authority_is_refused(https, tmp_path):
    mirror = git.GitMirror(tmp_path / "m", git.Remote(https[0], git.Credentials(USER, PASSWORD)))

    with pytest.raises(git.CertificateRefusedError):
        mirror.fetch("main")


# --- git's own daemon


@pytest.fixture
def daemon(origin):
    port = free_port()
    process = serve(
        port, "git", "daemon", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1", f"--port={port}",
        f"--base-path={origin.parent}", origin.parent,
    )  # fmt: skip
    yield f"git://127.0.0.1:{port}/{origin.name}"
    stop(process)


def test_write_over_the_git_protocol_succeeds_when_allowed(daemon, tmp_path, origin):
    mirror = git.GitMirror(tmp_path / "m", git.Remote(daemon, allow_http=True))

    sha = write(mirror, NEW)

    assert plain_git(origin, "rev-parse", "main") == sha
    with pytest.raises(git.RepositoryNotFoundError):
        git.GitMirror(tmp_path / "n", git.Remote(f"{daemon}x", allow_http=True)).fetch("main")


# --- SSH


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Private keys by name, each with its public half beside it."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("host", "other-host", "client", "stranger"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name)
    return folder


@pytest.fixture
def ssh(tmp_path, origin, keys):
    """A private SSH server; yields the repository's URL and the line that pins its key."""
    if not shutil.which(SSHD):
        pytest.skip("no sshd on this machine")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(
            mode=0o755, exist_ok=True
        )  # sshd refuses to start as root without it
    port = free_port()
    settings = tmp_path / "sshd_config"
    settings.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys}/host\nAuthorizedKeysFile {keys}/client.pub\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        f"PidFile {tmp_path}/pid\n"
    )  # fmt: skip
    process = serve(port, SSHD, "-D", "-e", "-f", settings)
    public = (keys / "host.pub").read_text().split()
    yield (
        f"ssh://{getpass.getuser()}@127.0.0.1:{port}{origin}",
        f"[127.0.0.1]:{port} {' '.join(public[:2])}\n",
    )
    stop(process)


def over_ssh(tmp_path, url, keys, known_hosts, key="client"):
    credentials = git.Credentials(private_key=(keys / key).read_text(), known_hosts=known_hosts)
    return git.GitMirror(tmp_path / "m", git.Remote(url, credentials))


def test_write_over_ssh_with_the_pinned_key_succeeds(ssh, tmp_path, keys, origin):
    url, known_hosts = ssh

    sha = write(over_ssh(tmp_path, url, keys, known_hosts), NEW)

    assert plain_git(origin, "rev-parse", "main") == sha


@pytest.mark.parametrize("known", ["changed", "unknown"])
def test_fetch_g20_over_ssh_host_key_that_is_not_pinned_is_refused(ssh, tmp_path, keys, known):
    url, known_hosts = ssh
    other = (keys / "other-host.pub").read_text().split()[1]
    line = known_hosts.replace(known_hosts.split()[2], other) if known == "changed" else ""

    with pytest.raises(git.HostKeyRefusedError):
        over_ssh(tmp_path, url, keys, line).fetch("main")


@pytest.mark.parametrize("key", ["stranger", None], ids=["stranger", "no key"])
def test_fetch_over_ssh_without_the_right_key_is_refused(ssh, tmp_path, keys, key):
    url, known_hosts = ssh
    mirror = over_ssh(tmp_path, url, keys, known_hosts, key or "stranger")
    if key is None:
        mirror = git.GitMirror(
            tmp_path / "m", git.Remote(url, git.Credentials(known_hosts=known_hosts))
        )

    with pytest.raises(git.AuthenticationRefusedError):
        mirror.fetch("main")


def test_fetch_over_ssh_missing_repository_is_named(ssh, tmp_path, keys):
    url, known_hosts = ssh

    with pytest.raises(git.RepositoryNotFoundError):
        over_ssh(tmp_path, f"{url}x", keys, known_hosts).fetch("main")
