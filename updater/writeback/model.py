"""What goes into a plan and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from updater.errors import PermanentError
from updater.overrides.edit import Edit


class WriteBackError(PermanentError):
    """The change cannot be written as it is configured; the sentence says what to mend."""

    code = "write_back_refused"


@dataclass(frozen=True, slots=True)
class ImageChange:
    """One image that is to move: `old` and `new` are what messages and branch names say (2.10)."""

    key: str  # ImageConfiguration.key
    tag: str
    digest: str | None
    old: str
    new: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of the git repository; `before` is None for a new one."""

    path: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that would be written. `files` is empty, or `argocd_patch` None, when nothing changes.

    `base_branch` and `branch` are None where the remote's default branch is meant.
    """

    method: str
    repository: str | None
    base_branch: str | None
    branch: str | None
    message: str
    files: tuple[FileChange, ...] = ()
    edits: tuple[Edit, ...] = ()
    argocd_patch: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
