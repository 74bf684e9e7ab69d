"""The locks: hashed, complete, the same in both files, and without a trace of where they were made."""

import re
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
