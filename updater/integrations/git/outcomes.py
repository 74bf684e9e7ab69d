"""From what git printed to what happened. Pure: text in, an error of this package out.

Lines that git marks as the host's words ("remote: …") are shown to people but never decide the kind of a failure,
except where the host itself gives the reason of a refused push.
"""

import re
from typing import Final

from updater.integrations.git import errors, urls
from updater.integrations.git.process import Finished

MAX_WORDS = 600
MAX_LINES = 12
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_PREFIX = re.compile(r"^(?:fatal|error|warning): ")

# The first pattern that is found decides, so the telling ones stand before the general ones.
_SIGNS: Final[tuple[tuple[type[errors.GitError], tuple[str, ...]], ...]] = (
    (errors.HostKeyRefusedError, (
        r"Host key verification failed", r"REMOTE HOST IDENTIFICATION HAS CHANGED",
    )),
    (errors.RepositoryMovedError, (
        r"returned error: 30[1-8]", r"update url base from redirection",
    )),
    (errors.CertificateRefusedError, (
        r"SSL certificate", r"certificate (?:verif|problem)", r"SSL: no alternative",
    )),
    (errors.BranchNotFoundError, (
        r"couldn't find remote ref", r"[Rr]emote branch .* not found",
    )),
    (errors.RepositoryNotFoundError, (
        r"returned error: (?:404|410)", r"repository '.*' not found", r"[Rr]epository not found",
        r"not exported", r"does not appear to be a git repository",
    )),
    (errors.AuthenticationRefusedError, (
        r"Authentication failed", r"could not read (?:Username|Password)", r"[Aa]ccess denied",
        r"terminal prompts disabled", r"returned error: 40[13]", r"Permission denied",
        r"Too many authentication failures",
    )),
    (errors.GitProgramMissingError, (
        r"cannot run (?:ssh|git-remote-https?)", r"is not a git command",
    )),
    (errors.ObjectNotServedError, (
        r"not our ref", r"does not allow request for unadvertised object",
    )),
    (errors.RepositoryTooLargeError, (
        r"died of signal (?:9|24|25)\b", r"File too large", r"exceeds maximum allowed size",
        r"Out of memory",
    )),
    (errors.RepositoryMalformedError, (
        r"fsck error", r"mismatched algorithms",
    )),
    (errors.MirrorDamagedError, (
        r"bad object", r"is corrupt", r"object file .* is empty", r"inflate:", r"zlib",
        r"unable to (?:read|parse|find|open) (?:tree|sha1|object|loose)", r"index file",
        r"packfile .* (?:cannot|does not|index)", r"missing (?:blob|tree|commit) [0-9a-f]",
        r"invalid sha1 pointer", r"bad ref", r"bad signature 0x", r"not a git repository",
        r"bad config", r"unresolved delta", r"did not send all necessary objects", r"src refspec",
        r"cannot lock ref", r"unable to resolve reference",
    )),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile("|".join(signs))) for kind, signs in _SIGNS)

_MOVED = re.compile(r"\[rejected\]|but expected|reference already exists|fetch first|stale info")
_LOCKED = re.compile(r"failed to (?:update ref|lock)|cannot lock|\.lock'|atomic transaction failed")
# A shell tells a signal as 128 and its number; git tells how the program that carries its words ended.
_KILLED_CODE, _KILLED = 128, re.compile(r"died of signal \d+")
_HOST_TROUBLE = re.compile(r"unpacker error|internal (?:server )?error|n/a \(")


def judge(repository: str, done: Finished) -> Finished:
    """Return what succeeded; raise the error that fits what did not."""
    if done.code == 0:
        return done
    raise _failure(repository, done.complaint, errors.RepositoryUnreachableError)


def local_failure(repository: str, done: Finished) -> errors.GitError:
    """Return the error of a command that used only our mirror."""
    return _failure(repository, done.complaint, errors.MirrorDamagedError)


def _failure(repository: str, complaint: str, otherwise: type[errors.GitError]) -> errors.GitError:
    own = _own_lines(complaint)
    kinds = (kind for kind, signs in _COMPILED if signs.search(own))
    return next(kinds, otherwise).of(repository, spoken(complaint))


def judge_push(repository: str, done: Finished) -> Finished:
    """Return a push that wrote our commit (or found it there); raise moved, locked, declined or transport."""
    refused = [line for line in done.output.decode(errors="replace").split("\n") if line[:1] == "!"]
    if not refused and _was_killed(done):
        raise errors.PushCutOffError.of(repository, spoken(done.complaint))
    if not refused:
        return judge(repository, done)
    status = refused[0].split("\t")[-1]
    words = spoken(_remote_lines(done.complaint)) or spoken(status)
    raise _refusal(f"{status}\n{_remote_lines(done.complaint)}", status).of(repository, words)


def _was_killed(done: Finished) -> bool:
    return (
        done.code < 0
        or done.code > _KILLED_CODE
        or bool(_KILLED.search(_own_lines(done.complaint)))
    )


def _refusal(everything: str, status: str) -> type[errors.GitError]:
    if _MOVED.search(status) or (_LOCKED.search(status) and _MOVED.search(everything)):
        return errors.PushMovedError
    if _LOCKED.search(status):
        return errors.RefLockedError
    if _HOST_TROUBLE.search(status):
        return errors.RepositoryUnreachableError
    return errors.PushDeclinedError


def _own_lines(complaint: str) -> str:
    return "\n".join(line for line in complaint.splitlines() if not line.startswith("remote: "))


def _remote_lines(complaint: str) -> str:
    lines = (line for line in complaint.splitlines() if line.startswith("remote: "))
    return "\n".join(line.removeprefix("remote: ") for line in lines)


def spoken(text: str) -> str:
    """Return a program's words on one line: no escape sequences, no control characters, no user info, cut."""
    plain = _UNPRINTABLE.sub("", _ESCAPES.sub("", urls.redact_all(text)))
    lines = [" ".join(_PREFIX.sub("", line).split()) for line in plain.split("\n")]
    told = "; ".join([line for line in lines if line][:MAX_LINES])
    return told if len(told) <= MAX_WORDS else told[: MAX_WORDS - 1] + "…"
