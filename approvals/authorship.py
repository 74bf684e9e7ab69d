"""Who had a hand in what is proposed: read from the source repository, beside planning and never in its way.

    labels of both builds → source and revisions → commits between them → addresses, each with its newest commit

Only where a policy excludes commit authors. What is not known is stored as a problem, and the policy says what
that means. It is no part of the seal: nothing that is written hangs on it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.fields.json import KT

from approvals import lifecycle, policy
from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater import audit, clock, leases
from updater.audit import Actor, AuditKind
from updater.connections import Connections
from updater.errors import PermanentError, UpdaterError
from updater.models import Application, ImageManifest

SOURCE = "org.opencontainers.image.source"
REVISION = "org.opencontainers.image.revision"
MAX_COMMITS = 500
MAX_PEOPLE = 100
MAX_READ_PER_SWEEP = 6  # each may take half a minute
RETRY = timedelta(minutes=10)  # after a history could not be read


class LabelsUnusableError(PermanentError):
    """The labels of the builds do not say which commits lie between them."""

    code = "labels_unusable"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a build was made from, as its labels say."""

    source: str
    revision: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found for one promotion; `digest` says of which build, `is_final` that another look is in vain."""

    digest: str
    at: str
    commits: list[dict[str, str]]  # [{"sha", "address"}], one a person
    source: str = ""
    problem: str = ""
    is_final: bool = True


def sweep(*, world: Connections, by: Actor) -> int:
    """Read what is wanted and not read yet; return for how many promotions."""
    due = list(_due(clock.now()))
    for promotion in due:
        reading = read(promotion, world=world, at=clock.now())
        with transaction.atomic():
            leases.require_held()
            _store(promotion, reading, by=by)
    return len(due)


def read(promotion: Promotion, *, world: Connections, at: datetime) -> Reading:
    """Return who had a hand in the commits between the running and the proposed build. Network, no transaction."""
    found = Reading(promotion.to_digest, at.isoformat(), [])
    try:
        old, new = _origins(promotion)
    except LabelsUnusableError as error:
        return _with(found, problem=str(error))
    try:
        hands = _history(promotion, new.source, world=world).hands(
            old.revision, new.revision, most=MAX_COMMITS
        )
    except UpdaterError as error:
        return _with(found, source=new.source, problem=str(error).rstrip("."), is_final=False)
    newest: dict[str, str] = {}
    for hand in hands:
        newest.setdefault(hand.address.lower(), hand.sha)
    people = [{"sha": sha, "address": address} for address, sha in newest.items()]
    too_many = f"more than {MAX_PEOPLE} people wrote it" if len(people) > MAX_PEOPLE else ""
    return _with(found, source=new.source, commits=people[:MAX_PEOPLE], problem=too_many)


def _with(reading: Reading, **changes: Any) -> Reading:  # noqa: ANN401  fields of a reading
    return Reading(**{**asdict(reading), **changes})


def _due(at: datetime) -> Iterable[Promotion]:
    again = (at - RETRY).isoformat()
    unread = ~Q(authors__has_key="digest") | ~Q(read_for=F("to_digest"))
    failed = Q(authors__is_final=False, read_at__lt=again)
    rows = Promotion.objects.with_target().annotate(
        read_for=KT("authors__digest"), read_at=KT("authors__at")
    )
    return rows.filter(
        unread | failed,
        status__in=Status.undecided_or_waiting(),
        application__in=_concerned(),
    ).order_by(F("read_at").asc(nulls_first=True), "created_at")[:MAX_READ_PER_SWEEP]


def _concerned() -> list[int]:
    """Return the Applications with something open whose policy excludes commit authors."""
    waiting = Promotion.objects.filter(status__in=Status.undecided_or_waiting())
    rows = Application.objects.filter(pk__in=waiting.values("application"))
    return policy.excluding("commit-authors", rows.only("cluster", "project", "namespace", "name"))


def _origins(promotion: Promotion) -> tuple[Origin, Origin]:
    running = ImageManifest.objects.filter(
        image_repository=promotion.tracked_image.image_repository_id, digest=promotion.from_digest
    ).first()
    old = _origin(running, "running")
    new = _origin(promotion.candidate.manifest, "proposed")
    if _comparable(old.source) != _comparable(new.source):
        raise LabelsUnusableError("the running build was made from another source repository")
    return old, new


def _origin(manifest: ImageManifest | None, which: str) -> Origin:
    if manifest is None:
        raise LabelsUnusableError(f"the labels of the {which} build were not read")
    return Origin(_label(manifest, SOURCE, which), _label(manifest, REVISION, which))


def _label(manifest: ImageManifest, name: str, which: str) -> str:
    found = {str(labels[name]).strip() for labels in _labels(manifest) if labels.get(name)}
    if not found:
        raise LabelsUnusableError(f"the {which} build has no label {name}")
    if len(found) > 1:
        raise LabelsUnusableError(f"the platforms of the {which} build differ in {name}")
    return found.pop()


def _labels(manifest: ImageManifest) -> Iterator[Mapping[str, Any]]:
    platforms = manifest.platforms if isinstance(manifest.platforms, list) else []
    several = [manifest.labels, *(one.get("labels") for one in platforms if isinstance(one, dict))]
    return (labels for labels in several if isinstance(labels, dict))


def _comparable(source: str) -> str:
    return source.lower().rstrip("/").removesuffix(".git")


def _history(promotion: Promotion, source: str, *, world: Connections) -> Any:  # noqa: ANN401  git.SourceHistory
    known = str(promotion.application.write_back.get("repository") or "")
    return world.source_history(source, promotion.application.project, known)


def _store(promotion: Promotion, reading: Reading, *, by: Actor) -> None:
    rows = Promotion.objects.select_for_update(of=("self",)).with_target()
    row = rows.filter(pk=promotion.pk, status__in=Status.undecided_or_waiting()).first()
    if row is None or row.to_digest != reading.digest:
        return  # decided, or pushed again while we read: then it is read anew
    named = " ".join(policy.unsatisfiable(row))
    before, row.authors = row.authors, asdict(reading)
    row.save(update_fields=["authors"])
    if _told(before) != _told(row.authors):
        _record(row, reading, by=by)
    if row.is_pending:
        _name_unsatisfiable(row, before=named)


def _told(authors: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(authors.get(key) for key in ("digest", "commits", "problem"))


def _record(row: Promotion, reading: Reading, *, by: Actor) -> None:
    people = len(reading.commits)
    commits = len({item["sha"] for item in reading.commits})
    details = {
        "tag": row.to_tag,
        "digest": reading.digest,
        "source": reading.source,
        "people": f"{people} {'person' if people == 1 else 'people'}",
        "commits": f"{commits} {'commit' if commits == 1 else 'commits'}",
        "excluded": reading.commits,
        "reason": reading.problem,
    }
    audit.record(
        kind=AuditKind.AUTHORS_READ, by=by, subject=lifecycle.subject_of(row), details=details
    )


def _name_unsatisfiable(row: Promotion, *, before: str) -> None:
    """Say at once when nobody is left who could approve it, as when it was opened; and when somebody is again."""
    now = " ".join(policy.unsatisfiable(row))
    if now != before and (now or row.status_reason == before):
        row.status_reason = now
        row.save(update_fields=["status_reason"])
