"""Repositories whose content is against us: it is only data here."""

import os
import shutil
import socket
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integration.git.scene import VALUES, commit, import_tree, plain_git, write
from updater.integrations import git

ZERO = "12" * 20


@pytest.fixture
def sink():
    """A port on which nobody must ever knock; yields its address and the list of visits."""
    listener = socket.create_server(("127.0.0.1", 0))
    visits = []

    def listen():
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            visits.append(address)
            connection.close()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", visits
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.mark.parametrize(
    ("entries", "path", "kind"),
    [
        ([("120000", "values.yaml", b"/etc/passwd")], "values.yaml", "a symbolic link"),
        ([("120000", "apps", b"/etc")], "apps/passwd", "a symbolic link"),
        ([("120000", "apps", b"../.git/hooks")], "apps/shop/values.yaml", "a symbolic link"),
        ([("120000", "a/b", b"."), ("100644", "a/c", b"")], "a/b/b/c", "a symbolic link"),
        ([("160000", "sub", ZERO)], "sub", "a submodule"),
        ([("160000", "sub", ZERO)], "sub/values.yaml", "a submodule"),
        ([("100644", "values.yaml/x", b"")], "values.yaml", "a folder"),
        ([("100644", "apps", b"")], "apps/values.yaml", "a file, not a folder"),
    ],
    ids=["g02-file", "g02-etc", "g02-hooks", "g02-deep", "g03-submodule", "g03-below", "g03-folder", "file"],
)  # fmt: skip
def test_target_g02_g03_that_is_no_file_is_refused(mirror, origin, entries, path, kind):
    import_tree(origin, entries)
    tip = mirror.fetch("main")

    with pytest.raises(git.TargetNotAFileError, match=kind):
        mirror.read_file(tip, path)
    with pytest.raises(git.TargetNotAFileError, match=kind):
        commit(mirror, tip, {path: b"x"})


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", ".git/config", "a//b", "apps/../x", ""])
def test_target_outside_the_repository_is_refused(mirror, path):
    tip = mirror.fetch("main")

    with pytest.raises(git.TargetNotAFileError):
        mirror.read_file(tip, path)
    with pytest.raises(git.TargetNotAFileError):
        commit(mirror, tip, {path: b"x"})


def test_write_g05_filters_and_lfs_do_nothing(host, mirror, origin, sink):
    address, visits = sink
    traps = {
        ".gitattributes": b"*.yaml filter=lfs diff=lfs merge=lfs -text eol=crlf ident\n",
        ".lfsconfig": f"[lfs]\n\turl = http://{address}/\n".encode(),
        ".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = http://{address}/\n'.encode(),
    }
    host.commit("acme/gitops", "main", traps, "traps")
    content = b"a: $Id$\r\n\tb: \xff\n"

    sha = write(mirror, {VALUES: content})

    assert mirror.read_file(sha, VALUES) == content
    assert plain_git(origin, "cat-file", "-s", f"{sha}:{VALUES}") == str(len(content))
    assert not visits


def test_write_hooks_inside_the_mirror_never_run(mirror, tmp_path):
    mirror.fetch("main")
    hooks = tmp_path / "mirrors" / "mirror" / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction", "post-rewrite", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)

    write(mirror, {VALUES: b"x"})

    assert not (tmp_path / "ran").exists()


def test_fetch_g06_bundle_addresses_of_the_host_are_ignored(mirror, origin, sink):
    address, visits = sink
    plain_git(origin, "config", "uploadpack.advertiseBundleURIs", "true")
    plain_git(origin, "config", "bundle.version", "1")
    plain_git(origin, "config", "bundle.mode", "all")
    plain_git(origin, "config", "bundle.x.uri", f"http://{address}/x.bundle")

    assert mirror.fetch("main")

    assert not visits


def test_fetch_g06_alternates_of_a_host_without_the_smart_protocol_are_ignored(
    make_mirror, origin, sink
):
    address, visits = sink
    (origin / "objects" / "info" / "http-alternates").write_text(f"http://{address}/objects/\n")
    plain_git(origin, "update-server-info")
    for objects in (origin / "objects").glob("??"):
        shutil.rmtree(objects)
    files = partial(_Silent, directory=origin.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mirror = make_mirror(address=f"http://127.0.0.1:{server.server_port}/{origin.name}")

        with pytest.raises(git.GitError):
            mirror.fetch("main")

        server.shutdown()
    assert not visits


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_read_file_g08_large_file_is_never_downloaded_whole(host, mirror, monkeypatch):
    monkeypatch.setattr("updater.integrations.git.host.FEW_FILES_BYTES", 1024 * 1024)
    host.commit("acme/gitops", "main", {VALUES: os.urandom(4 * 1024 * 1024)}, "large")
    tip = mirror.fetch("main")

    with pytest.raises(git.BlobTooLargeError):
        mirror.read_file(tip, VALUES)


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 8 * 1024 * 1024], ids=["over", "bomb"])
def test_read_file_g08_well_compressed_file_is_refused(host, make_mirror, size):
    mirror = make_mirror(limits=git.Limits(output_bytes=4 * 1024 * 1024))
    host.commit("acme/gitops", "main", {VALUES: bytes(size)}, "zeros")
    tip = mirror.fetch("main")

    with pytest.raises(git.BlobTooLargeError):
        mirror.read_file(tip, VALUES)


def test_read_file_of_exactly_the_limit_is_read(host, mirror):
    host.commit("acme/gitops", "main", {VALUES: bytes(1024 * 1024)}, "zeros")

    assert len(mirror.read_file(mirror.fetch("main"), VALUES)) == 1024 * 1024


def test_fetch_g08_repository_beyond_the_limit_is_refused_and_others_go_on(
    host, make_mirror, mirror
):
    files = {f"d{number}/{'x' * 200}": os.urandom(8) for number in range(3000)}
    big = host.create_repository("acme/big", files)

    with pytest.raises(git.RepositoryTooLargeError):
        make_mirror("big", big, limits=git.Limits(file_bytes=50_000)).fetch("main")

    assert mirror.fetch("main")


def test_fetch_g08_slow_host_ends_at_the_time_limit(host, make_mirror):
    host.faults.delay_seconds = 3
    started = time.monotonic()

    with pytest.raises(git.GitTimeoutError):
        make_mirror(limits=git.Limits(seconds=0.5)).fetch("main")

    assert time.monotonic() - started < 2.5


def test_fetch_g08_tree_bomb_is_refused_or_read_in_time(mirror, origin):
    blob = plain_git(origin, "hash-object", "-w", "--stdin", stdin=b"x")
    tree = plain_git(origin, "mktree", stdin=f"100644 blob {blob}\tf\n".encode())
    for _ in range(12):
        listing = "".join(f"040000 tree {tree}\td{name}\n" for name in range(10))
        tree = plain_git(origin, "mktree", stdin=listing.encode())
    who = ("-c", "user.name=a", "-c", "user.email=a")
    bomb = plain_git(origin, *who, "commit-tree", tree, "-p", "main", "-m", "bomb")
    plain_git(origin, "update-ref", "refs/heads/main", bomb)
    started = time.monotonic()

    tip = mirror.fetch("main")
    assert mirror.read_file(tip, "d0/d0/f") is None
    assert commit(mirror, tip, {"d1/new": b"1"})

    assert time.monotonic() - started < 20  # walked as a tree without end it would be 10^12 folders


def test_fetch_malformed_objects_are_refused(mirror, origin):
    plain_git(origin, "config", "receive.fsckObjects", "false")
    blob = plain_git(origin, "hash-object", "-w", "--stdin", stdin=b"x")
    entry = b"100644 .git\0" + bytes.fromhex(blob)
    literally = ("hash-object", "-t", "tree", "-w", "--literally", "--stdin")
    tree = plain_git(origin, *literally, stdin=entry)
    who = ("-c", "user.name=a", "-c", "user.email=a")
    plain_git(
        origin,
        "update-ref",
        "refs/heads/main",
        plain_git(origin, *who, "commit-tree", tree, "-m", "x"),
    )

    with pytest.raises(git.RepositoryMalformedError):
        mirror.fetch("main")


@pytest.mark.parametrize("name", ["A\nB <x@y>", "<", ">", "\0", "n" * 10_000])
def test_commit_g27_strange_names_give_a_valid_object(mirror, origin, name):
    tip = mirror.fetch("main")

    sha = commit(mirror, tip, {VALUES: b"x"}, author=git.Signature(name, name))
    mirror.push(sha, "main", expected=tip)

    assert plain_git(origin, "fsck", "--strict", "--no-dangling") == ""


def test_fetch_g30_tag_and_branch_of_one_name_are_told_apart(host, mirror, origin):
    plain_git(origin, "tag", "main", "main")
    plain_git(origin, "update-ref", "refs/heads/HEAD", "main")
    tip = host.commit("acme/gitops", "main", {"README.md": b"newer"}, "newer")

    assert mirror.fetch("main") == tip
    sha = write(mirror, {VALUES: b"x"})

    assert plain_git(origin, "rev-parse", "refs/heads/main") == sha
    assert plain_git(origin, "rev-parse", "refs/tags/main") != sha
    assert plain_git(origin, "rev-parse", "refs/heads/HEAD") != sha
