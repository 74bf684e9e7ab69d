"""From approval to commit with every kind of credential, over the real transports; what is refused says why."""

import getpass
import os
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from onebox.world.git_host import GitHost
from tests.integration.git.scene import run
from tests.integration.story import targets
from tests.integration.story.conftest import approve
from tests.integration.story.targets import HELM, NEW, REPOSITORY, Shape
from updater.models import Candidate

OVERRIDE = ".argocd-source-shop.yaml"
SHOP = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "shop"},
    "spec": {"sourceRepos": ["*"]},
}
CHART = {"values.yaml": b"backend:\n  image: x\n  tag: y\n"}
LOGIN = {"username": "bot", "password": "git-password"}
SSHD = "/usr/sbin/sshd"


def add_secret(outside, name, kind, **fields):
    outside.create("secrets", targets.secret(name, {"type": "git", **fields}, kind), core=True)


def add_config(outside, name, **texts):
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": texts}
    outside.create("configmaps", manifest, core=True)


def assert_written(outside, sre, repositories=None):
    promotion = targets.written(outside, sre)
    held = (repositories or outside.git.repositories).read(REPOSITORY, "main", OVERRIDE)
    assert NEW in held.decode()
    return promotion


def refused(outside):
    """Offer a build; nothing may come of it but a sentence, which is returned."""
    outside.push(NEW)
    outside.look()
    outside.propose()
    return Candidate.objects.get(is_current=True).problem


# --- passwords


def test_write_with_the_repository_secret(outside, sre):
    targets.add(outside, targets.repository(outside, CHART), Shape())

    assert_written(outside, sre)

    assert all(line.endswith(" with authorization") for line in outside.git.requests)


def test_write_with_the_secret_of_a_url_prefix(outside, sre):
    url = outside.git.create_repository(REPOSITORY, CHART)
    add_secret(outside, "acme", "repo-creds", url=f"{outside.git.url}/acme", **LOGIN)
    add_secret(
        outside, "other", "repo-creds", url=f"{outside.git.url}/ac", username="x", password="x"
    )
    targets.add(outside, url, Shape())

    assert_written(outside, sre)


def test_write_with_the_secret_of_the_project(outside, sre):
    url = outside.git.create_repository(REPOSITORY, CHART)
    add_secret(outside, "ours", "repository", url=url, project="shop", **LOGIN)
    add_secret(outside, "theirs", "repository", url=url, project="bank", username="x", password="x")
    outside.create("appprojects", SHOP)
    targets.add(outside, url, Shape(project="shop"))

    assert_written(outside, sre)


def test_offer_with_the_secret_of_another_project_is_not_opened(outside, sre):
    url = outside.git.create_repository(REPOSITORY, CHART)
    add_secret(outside, "theirs", "repository", url=url, project="bank", **LOGIN)
    outside.create("appprojects", SHOP)
    targets.add(outside, url, Shape(project="shop"))

    assert "refuses our credentials" in refused(outside)
    assert not any(line.endswith(" with authorization") for line in outside.git.requests)


def test_write_with_the_secret_that_the_application_names(outside, sre):
    url = outside.git.create_repository(REPOSITORY, CHART)
    add_secret(outside, "robot", "", **LOGIN)
    method = {"write-back-method": "git:secret:argocd/robot"}
    targets.add(outside, url, Shape(annotations={**HELM, **method}))

    assert_written(outside, sre)


def test_execute_with_a_password_that_is_no_longer_right_waits_and_says_so(outside, sre):
    targets.add(outside, targets.repository(outside, CHART), Shape())
    promotion = approve(outside.offer(), sre)
    outside.git.users["bot"] = "changed-meanwhile"

    outside.execute()

    promotion.refresh_from_db()
    assert (promotion.status, promotion.error_code) == ("APPROVED", "git_authentication_refused")
    assert "refuses our credentials" in promotion.status_reason
    assert "git-password" not in promotion.status_reason
    assert len(outside.git.log(REPOSITORY, "main")) == 1


def test_offer_with_a_wrong_password_is_not_opened_and_says_so(outside):
    url = outside.git.create_repository(REPOSITORY, CHART)
    add_secret(outside, "wrong", "repository", url=url, username="bot", password="wrong-password")
    targets.add(outside, url, Shape())

    problem = refused(outside)

    assert "refuses our credentials" in problem
    assert "wrong-password" not in problem


# --- certificates


@pytest.fixture
def https(tmp_path):
    """A Git host with a certificate of its own, and that certificate."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl on this machine")
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    host = GitHost(tmp_path / "tls", {"bot": "git-password"}, tls=context).start()
    yield host, certificate.read_text()
    host.stop()


def add_over_https(outside, host):
    url = host.create_repository(REPOSITORY, CHART)
    add_secret(outside, "tls", "repository", url=url, **LOGIN)
    targets.add(outside, url, Shape())


def test_write_over_https_trusts_the_authority_of_the_config_map(outside, sre, https):
    host, certificate = https
    add_config(outside, "argocd-tls-certs-cm", **{"127.0.0.1": certificate})
    add_over_https(outside, host)

    assert_written(outside, sre, host.repositories)


def test_offer_over_https_without_the_authority_is_not_opened(outside, https):
    add_over_https(outside, https[0])

    assert "certificate" in refused(outside)


# --- SSH


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
    raise RuntimeError("sshd does not answer")


@pytest.fixture
def ssh(outside, tmp_path):
    """A private SSH server on the repository: its URL, the client's key, and the line that pins the host."""
    if not shutil.which(SSHD):
        pytest.skip("there is no sshd on this machine")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd does not start as root without it
    outside.git.create_repository(REPOSITORY, CHART)
    for name in ("host", "client"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", tmp_path / name)
    port, settings = free_port(), tmp_path / "sshd_config"
    settings.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\n"
        f"AuthorizedKeysFile {tmp_path}/client.pub\nStrictModes no\nUsePAM no\n"
        f"PasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile {tmp_path}/pid\n"
    )
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(settings)], stderr=subprocess.DEVNULL)
    wait_for(port, process)
    path = outside.git.repositories.path(REPOSITORY)
    public = (tmp_path / "host.pub").read_text().split()
    yield (
        f"ssh://{getpass.getuser()}@127.0.0.1:{port}{path}",
        (tmp_path / "client").read_text(),
        f"[127.0.0.1]:{port} {' '.join(public[:2])}\n",
    )
    process.terminate()
    process.wait(10)


def test_write_over_ssh_with_the_host_key_of_the_config_map(outside, sre, ssh):
    url, key, pinned = ssh
    add_secret(outside, "ssh", "repository", url=url, sshPrivateKey=key)
    add_config(outside, "argocd-ssh-known-hosts-cm", ssh_known_hosts=pinned)
    targets.add(outside, url, Shape())

    assert_written(outside, sre)


@pytest.mark.parametrize("known", ["unknown", "changed"])
def test_offer_over_ssh_from_a_host_not_known_is_not_opened(outside, ssh, tmp_path, known):
    url, key, pinned = ssh
    other = (tmp_path / "client.pub").read_text().split()[1]
    line = pinned.replace(pinned.split()[2], other) if known == "changed" else ""
    add_secret(outside, "ssh", "repository", url=url, sshPrivateKey=key)
    add_config(outside, "argocd-ssh-known-hosts-cm", ssh_known_hosts=line)
    targets.add(outside, url, Shape())

    assert "argocd-ssh-known-hosts-cm" in refused(outside)
    assert len(outside.git.log(REPOSITORY, "main")) == 1
