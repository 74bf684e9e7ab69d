"""Mirrors that a crash or a bad disk left unusable mend themselves."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.integration.git.scene import FILES, PASSWORD, VALUES, commit, plain_git, write
from updater.integrations import git

NEW = {VALUES: b"image:\n  tag: v2\n"}


@pytest.fixture
def folder(tmp_path, mirror):
    """The mirror on disk, fetched once and with the contents of its files."""
    tip = mirror.fetch("main")
    mirror.read_files(tip, list(FILES))
    return tmp_path / "mirrors" / "mirror"


def packs(folder, ending="pack"):
    return sorted((folder / "objects" / "pack").glob(f"*.{ending}"))


@pytest.mark.parametrize(
    "name",
    ["index.lock", "HEAD.lock", "shallow.lock", "packed-refs.lock", "config.lock",
     "objects/pack/tmp_pack_abc", "objects/pack/multi-pack-index.lock", "objects/tmp_objabc"],
)  # fmt: skip
def test_fetch_g21_what_a_crash_left_is_swept(host, make_mirror, folder, name):
    (folder / name).write_bytes(b"half")
    sha = host.commit("acme/gitops", "main", {"README.md": b"other"}, "newer")

    assert make_mirror().fetch("main") == sha

    assert not (folder / name).exists()


def test_fetch_g21_stale_lock_of_our_own_reference_is_swept(host, make_mirror, folder):
    for reference in (folder / "refs" / "fetched").iterdir():
        reference.with_suffix(".lock").touch()
    sha = host.commit("acme/gitops", "main", {"README.md": b"other"}, "newer")

    assert make_mirror().fetch("main") == sha


@pytest.mark.parametrize("ending", ["pack", "idx"])
def test_fetch_g21_g23_half_file_of_a_pack_is_fetched_again(make_mirror, folder, ending):
    for path in packs(folder, ending):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:20])

    mirror = make_mirror()
    tip = mirror.fetch("main")

    assert mirror.read_file(tip, VALUES) == FILES[VALUES]


@pytest.mark.parametrize("name", ["config", "HEAD", "objects", "refs"])
def test_fetch_g21_missing_part_is_made_anew(make_mirror, folder, name):
    path = folder / name
    path.rename(folder.parent / "elsewhere")

    mirror = make_mirror()
    tip = mirror.fetch("main")

    assert mirror.read_file(tip, VALUES) == FILES[VALUES]


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"ab" * 20 + b"\n"])
def test_fetch_g21_unreadable_reference_is_fetched_again(make_mirror, folder, content):
    for reference in (folder / "refs" / "fetched").iterdir():
        reference.write_bytes(content)

    mirror = make_mirror()
    tip = mirror.fetch("main")

    assert mirror.read_file(tip, VALUES) == FILES[VALUES]


def test_read_file_g23_changed_bytes_in_a_pack_are_noticed_and_fetched_again(
    mirror, make_mirror, folder
):
    tip = mirror.fetch("main")
    for path in packs(folder):
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        for place in range(12, len(content) - 20):
            content[place] ^= 0x55
        path.write_bytes(content)

    assert mirror.read_file(tip, VALUES) == FILES[VALUES]
    assert make_mirror().read_file(tip, VALUES) == FILES[VALUES]


def test_read_file_g23_object_that_is_another_than_its_name_is_noticed(mirror, folder):
    tip = mirror.fetch("main")
    wrong = plain_git(folder, "hash-object", "-w", "--stdin", stdin=b"image:\n  tag: evil\n")
    right = plain_git(folder, "rev-parse", f"{tip}:{VALUES}")
    for index in packs(folder, "idx"):
        if right in plain_git(folder, "verify-pack", "-v", index):
            index.with_suffix(".pack").unlink()
            index.unlink()
    objects = folder / "objects"
    (objects / right[:2]).mkdir(exist_ok=True)
    (objects / wrong[:2] / wrong[2:]).rename(objects / right[:2] / right[2:])

    assert mirror.read_file(tip, VALUES) == FILES[VALUES]


def test_commit_g23_with_a_lost_tree_is_rebuilt(mirror, folder, origin):
    tip = mirror.fetch("main")
    for path in packs(folder):
        path.unlink()

    sha = commit(mirror, tip, NEW)
    mirror.push(sha, "main", expected=tip)

    assert plain_git(origin, "rev-parse", "main") == sha


def test_read_file_g23_by_a_mirror_that_fetched_nothing_asks_for_another_try(
    mirror, make_mirror, folder
):
    tip = mirror.fetch("main")
    for path in packs(folder):
        path.chmod(0o600)
        path.write_bytes(b"PACK" + b"\0" * 200)
    fresh = make_mirror()

    with pytest.raises(git.MirrorDamagedError):
        fresh.read_file(tip, VALUES)

    assert fresh.read_file(fresh.fetch("main"), VALUES) == FILES[VALUES]


def test_push_after_our_objects_were_lost_asks_for_another_try(mirror, folder, origin):
    tip = mirror.fetch("main")
    sha = commit(mirror, tip, NEW)
    (folder / "config").unlink()

    with pytest.raises(git.MirrorDamagedError):
        mirror.push(sha, "main", expected=tip)

    assert plain_git(origin, "rev-parse", "main") == tip


def test_read_file_from_a_host_of_the_old_protocol_falls_back_to_everything(
    host, make_mirror, tmp_path
):
    host.faults.is_old = True
    mirror = make_mirror()
    tip = mirror.fetch("main")

    assert mirror.read_file(tip, VALUES) == FILES[VALUES]

    assert (tmp_path / "mirrors" / "mirror" / "unfiltered").exists()
    host.requests.clear()
    assert mirror.read_file(tip, "README.md") == FILES["README.md"]
    assert not host.requests
    assert write(mirror, NEW)


def test_fetch_from_a_host_without_filters_works(host, make_mirror, origin):
    plain_git(origin, "config", "uploadpack.allowFilter", "false")
    mirror = make_mirror()

    assert mirror.read_file(mirror.fetch("main"), VALUES) == FILES[VALUES]


SCRIPT = """
import sys
from pathlib import Path
from tests.integration.git import scene
from updater.integrations import git
folder, url = sys.argv[1:]
remote = git.Remote(url, git.Credentials(scene.USER, scene.PASSWORD), allow_http=True)
mirror = git.GitMirror(Path(folder), remote)
print("ready", flush=True)
scene.write(mirror, {scene.VALUES: b"from a worker that dies"})
"""


@pytest.mark.parametrize("delay", [0.02, 0.06, 0.12, 0.2])
def test_write_p07_p10_worker_killed_at_any_moment_leaves_a_usable_mirror(
    host, make_mirror, origin, tmp_path, url, delay
):
    folder = tmp_path / "mirrors" / "mirror"
    command = [sys.executable, "-c", SCRIPT, str(folder), url]
    worker = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    with worker:
        worker.stdout.readline()
        time.sleep(delay)
        worker.send_signal(signal.SIGKILL)
    mirror = make_mirror()

    tip = mirror.fetch("main")
    found = mirror.find_trailers({"Promotion-Id": ["p1"]}, tip=tip, since=None)["Promotion-Id"]
    if not found:
        write(mirror, NEW)

    messages = plain_git(origin, "log", "--format=%(trailers:key=Promotion-Id,valueonly)", "main")
    assert messages.split() == ["p1"]
    assert plain_git(origin, "fsck", "--strict", "--no-dangling") == ""
    assert not (folder / "private").exists()
    assert PASSWORD not in "".join(
        path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()
    )
