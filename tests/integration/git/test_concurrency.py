"""Several writers of one branch at once: nothing is lost, nothing is doubled."""

import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from tests.integration.git.scene import plain_git

STRANGERS, STRANGER_SECONDS = 8, 0.2
WRITER = """
import random, sys, time
from pathlib import Path
from tests.integration.git import scene
from updater.integrations import git
folder, url, name, count = sys.argv[1:]
remote = git.Remote(url, git.Credentials(scene.USER, scene.PASSWORD), allow_http=True)
mirror = git.GitMirror(Path(folder), remote)
for number in range(int(count)):
    for attempt in range(50):
        try:
            scene.write(mirror, {f"apps/{name}.yaml": f"tag: {number}".encode()}, f"{name}-{number}")
            break
        except (git.PushMovedError, git.RefLockedError):
            time.sleep(random.uniform(0, 0.02))
    else:
        sys.exit("never came through")
"""


def start_writer(folder, url, name, count):
    command = [sys.executable, "-c", WRITER, str(folder), url, name, str(count)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "."}, stderr=subprocess.PIPE)


@pytest.mark.parametrize("shared", [False, True], ids=["two mirrors", "one mirror"])
def test_write_two_workers_and_a_stranger_lose_nothing(host, origin, tmp_path, url, shared):
    folders = [tmp_path / ("m" if shared else name) for name in ("a", "b")]
    writers = [
        start_writer(folder, url, name, 5) for folder, name in zip(folders, ("a", "b"), strict=True)
    ]

    strangers = 0
    while any(writer.poll() is None for writer in writers):
        time.sleep(STRANGER_SECONDS)
        if strangers < STRANGERS:
            # A worker may be faster between the stranger's look and write: then the stranger goes without.
            with suppress(subprocess.CalledProcessError):
                host.commit("acme/gitops", "main", {"README.md": b"%d" % strangers}, "by hand")
                strangers += 1

    complaints = [writer.communicate()[1].decode() for writer in writers]
    assert complaints == ["", ""]
    ids = plain_git(
        origin, "log", "--format=%(trailers:key=Promotion-Id,valueonly)", "main"
    ).split()
    assert sorted(ids) == sorted(f"{name}-{number}" for name in "ab" for number in range(5))
    subjects = plain_git(origin, "log", "--format=%s", "main").splitlines()
    assert subjects.count("by hand") == strangers
    for name in "ab":
        assert plain_git(origin, "show", f"main:apps/{name}.yaml") == "tag: 4"
    assert plain_git(origin, "fsck", "--strict", "--no-dangling") == ""
