"""Which policy stands: each text of the file is stored when a worker first sees it, and everybody reads the row.

A file that cannot be read changes nothing: the last good version stands, and the refusal is stored beside it.
A process speaks up only when its own file changed, so workers that get a new file one after the other do not
take turns in replacing each other's policy.
"""

import importlib.metadata
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from approvals import permissions
from approvals.models import PolicyVersion
from approvals.permissions import Binding
from approvals.policy import reading
from approvals.policy.document import Document
from approvals.policy.reading import PolicyFileError
from updater import audit, leases
from updater.audit import Actor, AuditKind

BUILT_IN = Document(version=1)
_seen: dict[str, str] = {}  # path → hash of what this process saw there last


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy that stands, and what is to be said about it."""

    document: Document
    hash: str = ""  # "" for the built-in one
    loaded_at: datetime | None = None
    loaded_by: str = ""
    problem: str = ""  # the file is broken now, so this older version still stands
    closed: str = ""  # no policy stands: nobody may approve
    bindings: tuple[
        Binding, ...
    ] = ()  # of the stored version, also where this release cannot read its text

    @property
    def name(self) -> str:
        """The version as people read it."""
        return self.hash[:10] or "built-in"


def current() -> Policy:
    """Return the policy that stands, from the database; the built-in one if none was ever asked for."""
    newest = PolicyVersion.objects.newest_first().defer("text").first()
    if newest is None:
        missing = f"No worker has loaded {settings.POLICY_FILE} yet, so nobody may approve."
        return Policy(BUILT_IN, closed=missing if settings.POLICY_FILE else "")
    standing = newest if newest.is_current else PolicyVersion.objects.current().first()
    if standing is None:
        return Policy(BUILT_IN, closed=f"The policy file cannot be used: {newest.problem}")
    bindings = permissions.bindings_from(standing.bindings)
    try:
        document = document_of(standing.hash)
    except PolicyFileError as error:
        closed = f"This release cannot read the stored policy {standing}: {error}"
        return Policy(BUILT_IN, standing.hash, closed=closed, bindings=bindings)
    return Policy(
        document,
        standing.hash,
        standing.loaded_at,
        standing.loaded_by,
        problem=newest.problem,
        bindings=bindings,
    )


@lru_cache(maxsize=16)
def document_of(version_hash: str) -> Document:
    """Return a stored version; the same object every time, so it can key further caches.

    Raises:
        PolicyFileError: this release does not read it any more.
    """
    rows = PolicyVersion.objects.filter(hash=version_hash, problem="")
    text = rows.values_list("text", flat=True).first()
    return reading.read((text or "").encode())


def load(*, by: Actor, at: datetime) -> PolicyVersion | None:
    """Store the file if this process sees it changed; return the new row, taken or refused.

    Without POLICY_FILE the stored version, if there is one, goes on standing.
    """
    path = settings.POLICY_FILE
    if not path:
        return None
    data, problem = _read(Path(path))
    version_hash = reading.hash_of(data) if not problem else ""
    if _seen.get(path) == version_hash + problem and PolicyVersion.objects.exists():
        return None
    with transaction.atomic():
        leases.require_held()
        row = _store(data, version_hash, problem, by=by, at=at)
    _seen[path] = version_hash + problem
    return row


def _read(path: Path) -> tuple[bytes, str]:
    try:
        with path.open("rb") as file:
            return file.read(reading.MAX_BYTES + 1), ""
    except OSError as error:
        return b"", f"{path} cannot be read: {error.strerror or error}."


def _store(
    data: bytes, version_hash: str, problem: str, *, by: Actor, at: datetime
) -> PolicyVersion | None:
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE approvals_policyversion IN SHARE ROW EXCLUSIVE MODE")
    newest = PolicyVersion.objects.newest_first().first()
    if newest is not None and (newest.hash, newest.problem) == (version_hash, problem):
        return None
    if problem:
        return _refuse(newest, version_hash, problem, by=by, at=at)
    try:
        document = reading.read(data)
    except PolicyFileError as error:
        return _refuse(newest, version_hash, str(error), by=by, at=at)
    return _take(document, data, version_hash, by=by, at=at)


def _take(
    document: Document, data: bytes, version_hash: str, *, by: Actor, at: datetime
) -> PolicyVersion:
    before = PolicyVersion.objects.current().first()
    PolicyVersion.objects.current().update(is_current=False)
    row = PolicyVersion.objects.create(
        hash=version_hash,
        text=data.decode("utf-8-sig"),
        bindings=[binding.model_dump(mode="json") for binding in document.roles],
        loaded_at=at,
        loaded_by=by.name,
        is_current=True,
    )
    details = {
        "version": row.short_hash,
        "before": before.short_hash if before else "built-in",
        "hash": version_hash,
        "zones": zones_version(),
    }
    audit.record(kind=AuditKind.POLICY_LOADED, by=by, details=details)
    return row


def _refuse(
    newest: PolicyVersion | None, version_hash: str, problem: str, *, by: Actor, at: datetime
) -> PolicyVersion | None:
    if newest is not None and (newest.hash, newest.problem) == (version_hash, problem):
        return None
    row = PolicyVersion.objects.create(
        hash=version_hash, problem=problem, loaded_at=at, loaded_by=by.name
    )
    details: dict[str, Any] = {"version": row.short_hash, "reason": problem}
    audit.record(kind=AuditKind.POLICY_REFUSED, by=by, details=details)
    return row


def zones_version() -> str:
    """Return the version of the time zone database: a new one may move windows (T07)."""
    for directory in ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"):
        try:
            with (Path(directory) / "tzdata.zi").open(encoding="ascii") as file:
                return file.readline().removeprefix("# version").strip()
        except OSError:
            continue
    return f"tzdata {importlib.metadata.version('tzdata')}"
