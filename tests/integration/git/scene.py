"""The small world of the Git tests: one repository with a few files, one commit as we make it, plain git beside it."""

import subprocess
from datetime import UTC, datetime

from onebox.world.git_host import repositories
from updater.integrations import git

USER, PASSWORD = "bot", "hunter2-hunter2"
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ME = git.Signature("Countersign", "countersign@example.com")
VALUES = "apps/shop/values.yaml"
FILES = {VALUES: b"image:\n  tag: v1\n", "README.md": b"read me\n"}


def run(*command, check=True, **options):
    """Run a program to its end; it must succeed."""
    words = [str(word) for word in command]
    return subprocess.run(words, check=check, capture_output=True, **options)


def plain_git(path, *arguments, stdin=b""):
    """Run the git program on a bare repository, as a person would; its output as text."""
    environment = repositories.environment()
    done = run("git", f"--git-dir={path}", *arguments, input=stdin, env=environment)
    return done.stdout.decode(errors="replace").strip()


def import_tree(path, entries, *, branch="main"):
    """Make one commit from (mode, path, content) lines, whatever they are; git itself does not ask."""
    stream = (
        f"commit refs/heads/{branch}\ncommitter A <a@example.com> 1700000000 +0000\ndata 1\nx\n"
    )
    lines = [stream.encode()]
    for mode, name, content in entries:
        if mode == "160000":
            lines.append(f"M 160000 {content} {name}\n".encode())
        else:
            lines.append(
                f"M {mode} inline {name}\ndata {len(content)}\n".encode() + content + b"\n"
            )
    plain_git(path, "fast-import", "--quiet", "--force", stdin=b"".join(lines))
    return plain_git(path, "rev-parse", f"refs/heads/{branch}")


def commit(mirror, parent, files, promotion="p1", **options):
    """Build a commit as the worker does."""
    message = git.with_trailers("build: update shop", [("Promotion-Id", promotion)])
    options = {"author": ME, "committer": ME, "at": AT, "message": message} | options
    return mirror.commit(parent=parent, files=files, **options)


def write(mirror, files, promotion="p1", branch="main"):
    """Fetch, commit and push; the new SHA."""
    tip = mirror.fetch(branch)
    sha = commit(mirror, tip, files, promotion)
    mirror.push(sha, branch, expected=tip)
    return sha
