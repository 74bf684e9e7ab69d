"""The locks: hashed, complete, the same in both files, and without a trace of where they were made."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = ("runtime", "dev")
LEAK = re.compile(r"https?:|file:|@|^\s*--(?!hash=).*|^\s*-[a-z].*|/", re.MULTILINE)
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


def _text(name, ending="txt"):
    return (ROOT / "requirements" / f"{name}.{ending}").read_text(encoding="utf-8")


def _pins(name):
    return dict(PIN.findall(_text(name)))


def _normal(requirement):
    name = re.match(r"[A-Za-z0-9._-]+", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _wanted(name):
    lines = _text(name, "in").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_host_path_or_index(name):
    assert LEAK.findall(_text(name)) == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_hashes_for_every_pin(name):
    entries = re.split(r"\n(?=\S)", _text(name).strip())

    for entry in entries:
        assert PIN.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_everything_that_is_asked_for(name):
    assert {_normal(requirement) for requirement in _wanted(name)} <= _pins(name).keys()


def test_locks_pin_the_same_versions():
    runtime, dev = _pins("runtime"), _pins("dev")

    assert {name: dev.get(name) for name in runtime} == runtime


def test_runtime_requirements_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert sorted(project["project"]["dependencies"]) == sorted(_wanted("runtime"))


NOT_NEEDED = {"greenlet", "pip", "pygments", "rich", "setuptools"}  # loaded where they happen to be
LOAD_EVERYTHING = """
import importlib.metadata, pkgutil, sys
import django; django.setup()
import approvals, onebox, updater
from django.core.management import call_command
from updater.celery import app
for package in (approvals, onebox, updater):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__"):
            __import__(found.name)
app.loader.import_default_modules()
app.connection_for_write().transport
import celery.bin.celery, celery.apps.beat, celery.worker.consumer, uvicorn.main
owners = importlib.metadata.packages_distributions()
loaded = {name.partition(".")[0] for name in sys.modules}
print(*sorted({owner for name in loaded for owner in owners.get(name, [])}))
"""


def test_runtime_lock_holds_everything_that_is_loaded():
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "updater.settings",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "postgresql://nobody@/nowhere?host=/nowhere",  # whose role nobody can judge
    }

    done = subprocess.run(
        [sys.executable, "-c", LOAD_EVERYTHING],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    loaded = {_normal(owner) for owner in done.stdout.split()}
    assert loaded - _pins("runtime").keys() - NOT_NEEDED == set()
    assert "kombu" in loaded
