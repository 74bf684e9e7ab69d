"""The runbooks of docs/runbooks as pages, and which of them helps with which state. No HTML is taken from them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs/runbooks"
_NAME = re.compile(r"[a-z0-9-]{1,60}")
_LINE_KINDS = (("# ", "title"), ("## ", "heading"), ("- ", "item"), ("    ", "code"))
_NUMBERED = re.compile(r"\d+\. ")

# By the error code of a promotion; what is not named here is about its class.
_BY_CODE = {
    "forged_trailer": "forged-trailer",
    "history_rewritten": "history-rewritten",
    "digest_moved": "tag-moved",
    "host_resting": "host-down",
    "git_repository_unreachable": "git-host-down",
    "git_timeout": "git-host-down",
    "pull_request_host_unavailable": "git-host-down",
    "registry_unavailable": "registry-down",
    "registry_timeout": "registry-down",
    "cluster_unreachable": "cluster-down",
    "git_authentication_refused": "errored-refused",
    "git_push_declined": "errored-refused",
    "cluster_forbidden": "errored-refused",
    "unforeseen": "errored-unforeseen",
}
_BY_BREAKER = {
    "git": "git-host-down",
    "git-api": "git-host-down",
    "cluster": "cluster-down",
    "registry": "registry-down",
}
_BY_ALARM = {
    "trailer.forged": "forged-trailer",
    "commit.orphaned": "orphan-commit",
    "execution.unauthorised": "unauthorised-execution",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a runbook: `kind` is title, heading, item, step, code or text."""

    kind: str
    text: str


def for_error(code: str, *, is_unknown: bool = False, is_slow: bool = False) -> str:
    """Return the name of the runbook for a promotion that does not move on."""
    if is_unknown:
        return "unknown"
    if is_slow:
        return "stuck-lease"
    return _BY_CODE.get(code, "errored")


def for_breaker(kind: str) -> str:
    """Return the name of the runbook for a host that does not answer."""
    return _BY_BREAKER[kind]


def for_alarm(kind: str) -> str:
    """Return the name of the runbook for an alarm of the trail."""
    return _BY_ALARM[kind]


def names() -> list[str]:
    """Return all runbooks by name."""
    return sorted(file.stem for file in FOLDER.glob("*.md") if file.stem != "README")


@cache
def read(name: str) -> tuple[Block, ...] | None:
    """Return a runbook in blocks, None if there is none of this name."""
    if not _NAME.fullmatch(name) or name not in names():
        return None
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    return tuple(_blocks(text.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    kind, held = "", ""
    for line in [*lines, ""]:
        begins, text = _kind(line)
        if begins == kind == "code":
            held += f"\n{text}"
        elif begins == "text" and line and kind not in ("", "title", "heading", "code"):
            held += f" {text}"  # a paragraph or an item goes on
        else:
            if kind:
                yield Block(kind, held)
            kind, held = (begins, text) if line else ("", "")
    if kind:
        yield Block(kind, held)


def _kind(line: str) -> tuple[str, str]:
    for mark, kind in _LINE_KINDS:
        if line.startswith(mark):
            return kind, line.removeprefix(mark)
    if numbered := _NUMBERED.match(line):
        return "step", line[numbered.end() :]
    return "text", line.strip()
