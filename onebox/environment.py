"""The environment the product's processes get, and its copy for commands run beside them."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from onebox.state import State, StateError

ROOT = Path(__file__).resolve().parent.parent
CLUSTER_ACCESS = ("KUBECONFIG",)  # only workers talk to the cluster
OWNER = ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE")  # only migrations change tables


def prepare(state: State, *, url: str) -> dict[str, str]:
    """Return this process's environment with what the product needs and nobody has set."""
    work = state.folder / "work"
    work.mkdir(mode=0o700, exist_ok=True)
    env = dict(os.environ)
    env["DJANGO_SETTINGS_MODULE"] = "updater.settings"
    env.setdefault("INSECURE_HTTP", "true")  # the web server listens on the loopback only
    env.setdefault("PUBLIC_URL", url)
    env.setdefault("STATE_DIR", str(work))
    if is_missing(env, "SECRET_KEY"):
        env["SECRET_KEY_FILE"] = str(state.secret_key_file)
    return env


def is_missing(env: Mapping[str, str], name: str) -> bool:
    """Whether neither the setting nor its _FILE form is given."""
    return name not in env and f"{name}_FILE" not in env


def take_owner(env: dict[str, str]) -> dict[str, str]:
    """Take out what gives the rights of the tables' owner, and return it."""
    return {name: env.pop(name) for name in OWNER if name in env}


def without_cluster_access(env: Mapping[str, str]) -> dict[str, str]:
    """Return a copy for a process that has no business with the cluster."""
    return {name: value for name, value in env.items() if name not in CLUSTER_ACCESS}


def remember(state: State, env: Mapping[str, str]) -> None:
    """Keep what we added, so that a command can join the running product."""
    added = {name: value for name, value in env.items() if os.environ.get(name) != value}
    _memory(state).write_text(json.dumps(added, indent=1), encoding="utf-8")


def become_manage_command(state: State, command: Sequence[str]) -> NoReturn:
    """Turn this process into `manage.py COMMAND` with the environment of the product in `state`.

    Raises:
        StateError: nothing has been started there yet.
    """
    try:
        added = json.loads(_memory(state).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StateError(f"nothing has been started in {state.folder} yet") from error
    manage = [sys.executable, str(ROOT / "manage.py"), *command]
    os.execve(sys.executable, manage, {**os.environ, **added})  # noqa: S606  an argument list


def _memory(state: State) -> Path:
    return state.folder / "environment.json"
