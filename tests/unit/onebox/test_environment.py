import json

import pytest

from onebox import environment
from onebox.state import State, StateError

OURS = ("SECRET_KEY", "SECRET_KEY_FILE", "INSECURE_HTTP", "PUBLIC_URL", "STATE_DIR")


@pytest.fixture
def state(tmp_path, monkeypatch):
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    state = State(tmp_path / "state")
    state.claim()
    yield state
    state.release()


def test_prepare_fills_in_what_nobody_has_set(state):
    env = environment.prepare(state, url="http://localhost:8000")

    assert env["SECRET_KEY_FILE"] == str(state.secret_key_file)
    assert env["PUBLIC_URL"] == "http://localhost:8000"
    assert env["INSECURE_HTTP"] == "true"
    assert env["DJANGO_SETTINGS_MODULE"] == "updater.settings"
    assert env["STATE_DIR"].startswith(str(state.folder))


@pytest.mark.parametrize(
    ("name", "value"),
    [("PUBLIC_URL", "https://cs.example"), ("INSECURE_HTTP", "false"), ("STATE_DIR", "/else")],
)
def test_prepare_keeps_what_somebody_has_set(state, monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    assert environment.prepare(state, url="http://localhost:8000")[name] == value


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FILE"])
def test_prepare_when_a_key_is_given_uses_no_other(state, monkeypatch, name):
    monkeypatch.setenv(name, "theirs")

    env = environment.prepare(state, url="http://localhost:8000")

    assert env[name] == "theirs"
    assert ("SECRET_KEY_FILE" in env) == (name == "SECRET_KEY_FILE")


def test_without_cluster_access_takes_the_kubeconfig_only():
    env = environment.without_cluster_access({"KUBECONFIG": "/k", "PATH": "/bin"})

    assert env == {"PATH": "/bin"}


def test_take_owner_leaves_nothing_of_the_owner_behind():
    env = {"DATABASE_OWNER_URL_FILE": "/f", "DATABASE_OWNER_URL": "u", "DATABASE_URL": "r"}

    taken = environment.take_owner(env)

    assert env == {"DATABASE_URL": "r"}
    assert taken == {"DATABASE_OWNER_URL_FILE": "/f", "DATABASE_OWNER_URL": "u"}


def test_remember_keeps_what_we_added_for_commands(state, monkeypatch):
    monkeypatch.setenv("FROM_THE_SHELL", "1")
    called = {}
    monkeypatch.setattr(
        "os.execve", lambda _program, command, env: called.update(command=command, env=env)
    )

    env = {
        **environment.prepare(state, url="http://localhost:8000"),
        "DATABASE_URL": "postgresql:///x",
    }
    environment.remember(state, env)
    environment.become_manage_command(state, ["shell"])

    assert called["command"][1:] == [str(environment.ROOT / "manage.py"), "shell"]
    assert called["env"]["DATABASE_URL"] == "postgresql:///x"
    assert called["env"]["FROM_THE_SHELL"] == "1"
    remembered = json.loads((state.folder / "environment.json").read_text(encoding="utf-8"))
    assert "FROM_THE_SHELL" not in remembered


def test_become_manage_command_before_the_first_start_says_so(state):
    with pytest.raises(StateError, match="nothing has been started"):
        environment.become_manage_command(state, ["shell"])
