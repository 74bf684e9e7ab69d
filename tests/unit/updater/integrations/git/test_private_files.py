"""Credentials as files: private, bound to the host, safe against what they hold."""

import stat
import subprocess

import pytest

from updater.integrations.git import Credentials, CredentialsUnusableError, private_files, urls

HTTPS = urls.parse("https://git.example:8443/org/app")
SSH = urls.parse("git@git.example:org/app")


def settings(path):
    command = ["git", "config", "--file", str(path / "settings"), "--list"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def test_write_password_stands_only_in_a_private_file(tmp_path):
    access = private_files.write(tmp_path, HTTPS, Credentials("me", "hunter2"))

    assert settings(tmp_path) == [
        "http.https://git.example:8443/.extraheader=Authorization: Basic bWU6aHVudGVyMg=="
    ]
    assert access.arguments == ("-c", f"include.path={tmp_path}/settings")
    assert not access.environment
    assert stat.S_IMODE((tmp_path / "settings").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (Credentials(password="token"), "Basic eC1hY2Nlc3MtdG9rZW46dG9rZW4="),
        (Credentials(bearer_token="abc"), "Bearer abc"),
        (Credentials(username="me"), ""),
        (Credentials(), ""),
    ],
    ids=["no user", "bearer", "no password", "nothing"],
)
def test_authorization_of_credentials(credentials, header):
    assert credentials.authorization == header


@pytest.mark.parametrize("token", ["a\nX-Evil: 1", "a\r\nb", "a\0b", "ä"])
def test_write_token_that_is_no_header_is_refused(tmp_path, token):
    with pytest.raises(CredentialsUnusableError):
        private_files.write(tmp_path, HTTPS, Credentials(bearer_token=token))


def test_write_quotes_in_a_value_do_not_end_it(tmp_path):
    evil = 'http://proxy"\n[core]\n\tsshCommand = id\\'

    private_files.write(tmp_path, HTTPS, Credentials(proxy=evil))

    assert not any(line.startswith("core.") for line in settings(tmp_path))


def test_write_certificates_become_files(tmp_path):
    credentials = Credentials(ca_pem="CA", client_certificate="CERT", client_key="KEY")

    private_files.write(tmp_path, HTTPS, credentials)

    assert [(tmp_path / name).read_text() for name in ("ca.pem", "client.pem", "client.key")] == [
        "CA",
        "CERT",
        "KEY",
    ]
    assert any("sslcainfo" in line for line in settings(tmp_path))


def test_write_ssh_key_is_ended_and_host_keys_are_pinned(tmp_path):
    credentials = Credentials(
        private_key="KEY\r\nEND", known_hosts="git.example ssh-ed25519 AAAA\n"
    )

    command = private_files.write(tmp_path, SSH, credentials).environment["GIT_SSH_COMMAND"]

    assert (tmp_path / "key").read_bytes() == b"KEY\nEND\n"
    assert (tmp_path / "known_hosts").read_text() == credentials.known_hosts
    assert "StrictHostKeyChecking=yes" in command
    assert "KEY" not in command


def test_write_without_ssh_key_offers_no_key_of_the_machine(tmp_path):
    command = private_files.write(tmp_path, SSH, Credentials()).environment["GIT_SSH_COMMAND"]

    assert "IdentityFile=none" in command


def test_credentials_repr_shows_no_secret():
    shown = repr(
        Credentials("me", "hunter2", "hunter2", "hunter2", "hunter2", proxy="http://u:hunter2@p")
    )

    assert "hunter2" not in shown


def test_conceal_blots_out_secrets_in_both_forms():
    credentials = Credentials("me", "hunter2")

    assert credentials.conceal("hunter2 bWU6aHVudGVyMg==") == "*** ***"
