"""Runs one outside program within limits of time, memory, file size and output; ends its whole group."""

import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

MIB = 1024 * 1024
READ_SIZE = 64 * 1024
COMPLAINT_SIZE = 16 * 1024  # of the error output, so much is kept
ORPHAN_GRACE_SECONDS = 10

# Set by the shell that becomes the program: a Python function between fork and exec would copy the page
# tables of a large worker first (2 ms against 15 ms in a process of 300 MB).
# With the signal ignored, a file beyond its limit is an error the program can name ("File too large").
# A limit the system does not know (memory, on macOS) or already holds lower is passed over.
_LIMITED = (
    'trap "" XFSZ; { ulimit -f "$1"; ulimit -v "$2"; ulimit -t "$3"; ulimit -c 0; } 2>/dev/null;'
    ' shift 3; exec "$@"'
)


class ProgramMissingError(Exception):
    """The program is not installed."""


class ProgramTimeoutError(Exception):
    """The time limit ended the program."""


class OutputTooLargeError(Exception):
    """The program printed more than the limit and was ended."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run of a program may use."""

    seconds: float = 120
    output_bytes: int = 64 * MIB
    file_bytes: int = 2048 * MIB
    memory_bytes: int = 4096 * MIB


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program left behind; `complaint` is its error output, cut."""

    code: int
    output: bytes
    complaint: str


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    limits: Limits,
    stdin: bytes = b"",
    keep_open: Sequence[int] = (),
    guarded: bool = False,
) -> Finished:
    """Run a program to its end; it inherits `keep_open`, and when `guarded` ends in time even without us.

    Raises:
        ProgramMissingError, ProgramTimeoutError, OutputTooLargeError: nothing of it is left running.
    """
    if shutil.which(command[0], path=env.get("PATH")) is None:
        raise ProgramMissingError(command[0])
    with tempfile.TemporaryFile() as source:  # a pipe could fill while the program fills its own
        source.write(stdin)
        source.seek(0)
        process = subprocess.Popen(
            [*_limiter(limits), *(_watchdog(limits) if guarded else ()), *command],
            env=dict(env),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
    with process:
        try:
            return _collect(process, limits)
        except BaseException:
            _end_group(process)
            raise


def _limiter(limits: Limits) -> list[str]:
    blocks, kilobytes = limits.file_bytes // 512, limits.memory_bytes // 1024
    seconds = str(int(limits.seconds) + 1)
    return ["/bin/sh", "-c", _LIMITED, "sh", str(blocks), str(kilobytes), seconds]


def _watchdog(limits: Limits) -> list[str]:
    program = shutil.which("timeout")  # coreutils; where it is missing, only our own clock counts
    return [program, "-s", "KILL", str(limits.seconds + ORPHAN_GRACE_SECONDS)] if program else []


def _collect(process: "subprocess.Popen[bytes]", limits: Limits) -> Finished:
    deadline = time.monotonic() + limits.seconds
    output, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(_pipe(process.stdout), selectors.EVENT_READ, output)
        ready.register(_pipe(process.stderr), selectors.EVENT_READ, complaint)
        while ready.get_map():
            for key, _ in ready.select(_remaining(deadline, process)):
                chunk = os.read(key.fd, READ_SIZE)
                if not chunk:
                    ready.unregister(key.fileobj)
                elif key.data is output:
                    output += chunk
                elif len(complaint) < COMPLAINT_SIZE:
                    complaint += chunk
            if len(output) > limits.output_bytes:
                raise OutputTooLargeError(process.args)
    try:
        code = process.wait(_remaining(deadline, process))
    except subprocess.TimeoutExpired as late:
        raise ProgramTimeoutError(process.args) from late
    return Finished(code, bytes(output), complaint[:COMPLAINT_SIZE].decode(errors="replace"))


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101  both pipes were asked for
    return stream


def _remaining(deadline: float, process: "subprocess.Popen[bytes]") -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise ProgramTimeoutError(process.args)
    return seconds


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
