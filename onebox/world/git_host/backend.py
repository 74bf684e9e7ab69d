"""Carries one request of the git protocol to `git http-backend` and its answer back."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from onebox.world.git_host import repositories

CHUNK = 64 * 1024
PROGRAM = ("git", "http-backend")


@dataclass(frozen=True, slots=True)
class GitRequest:
    """What the backend is told of a request."""

    method: str
    path: str
    query: str
    user: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GitAnswer:
    """The status and headers of an answer; the body is still to be read."""

    status: int
    headers: dict[str, str]
    body: IO[bytes]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def readline(self, size: int, /) -> bytes: ...


@contextmanager
def body(source: _Readable, headers: Mapping[str, str]) -> Iterator[IO[bytes]]:
    """Lend the whole body of a request as a file, chunked or not."""
    with tempfile.TemporaryFile() as target:
        for chunk in _chunks(source, headers):
            target.write(chunk)
        yield target


def _chunks(source: _Readable, headers: Mapping[str, str]) -> Iterator[bytes]:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        yield from _exactly(source, int(headers.get("content-length") or 0))
        return
    while size := int(source.readline(CHUNK).partition(b";")[0], 16):
        yield from _exactly(source, size)
        source.readline(CHUNK)
    source.readline(CHUNK)


def _exactly(source: _Readable, size: int) -> Iterator[bytes]:
    while size and (chunk := source.read(min(size, CHUNK))):
        yield chunk
        size -= len(chunk)


@contextmanager
def run(root: Path, request: GitRequest, source: IO[bytes]) -> Iterator[GitAnswer]:
    """Run the backend on a request; the answer's body can be read while the context lasts."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    process = subprocess.Popen(
        PROGRAM,
        env=_environment(root, request, size),
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout is not None  # noqa: S101  it was asked for
        yield _answer(process.stdout)


def _environment(root: Path, request: GitRequest, size: int) -> dict[str, str]:
    return {
        **repositories.environment(),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "REMOTE_USER": request.user,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(size),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
    }


def _answer(output: IO[bytes]) -> GitAnswer:
    headers = {}
    while line := output.readline().strip():
        name, _, value = line.decode("latin-1").partition(": ")
        headers[name] = value
    status = int(headers.pop("Status", "200").split()[0])
    return GitAnswer(status, headers, output)
