"""Applications that write the same key of the same file for different images: neither may go on (case A28).

What one Application's manifest cannot say: so it is judged after each listing, over those that share a file.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from updater import audit, leases, repository_urls
from updater.audit import Actor, AuditKind
from updater.configuration import fitting, sources, store, targets
from updater.configuration.model import ImageConfiguration, Problem
from updater.inventory.tracking import is_usable
from updater.models import Application, TrackedImage

TARGET_CONFLICT = "TARGET_CONFLICT"
_PLACE = ("repository", "base_branch", "write_branch", "target__kind", "target__path")


@dataclass(frozen=True, slots=True)
class Claim:
    """One image of one Application wants to write one key of a file."""

    application: int
    name: str  # namespace/name
    alias: str
    image: str
    file: str
    key: str


def judge(claims: Iterable[Claim]) -> dict[int, list[Problem]]:
    """Return a problem for each image that shares a key with another Application's other image. Pure."""
    by_key: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        by_key[claim.file, claim.key].append(claim)
    contested: dict[tuple[int, str], list[tuple[Claim, Claim]]] = defaultdict(list)
    for sharing in by_key.values():
        for claim, other in product(sharing, sharing):
            if claim.application != other.application and claim.image != other.image:
                contested[claim.application, claim.alias].append((claim, other))
    found: dict[int, list[Problem]] = defaultdict(list)
    for (application, _), pairs in contested.items():
        found[application].append(_problem(pairs))
    return dict(found)


def keep(application: Application | None) -> list[dict[str, Any]]:
    """Return what was found last: it holds until the next listing is judged."""
    problems = application.problems if application is not None else []
    return [problem for problem in problems if problem["code"] == TARGET_CONFLICT]


def contest(cluster: str, *, by: Actor) -> int:
    """Judge the Applications that share a file; return how many stand against others now."""
    rows = Application.objects.present().filter(cluster=cluster, is_managed=True)
    shared = _sharing(rows)
    found = judge(_claims(shared))
    marked = rows.filter(problems__contains=[{"code": TARGET_CONFLICT}])
    for application in rows.filter(pk__in={*found, *marked.values_list("pk", flat=True)}):
        _settle(application, found.get(application.pk, []), by=by)
    return len(found)


def _problem(pairs: Sequence[tuple[Claim, Claim]]) -> Problem:
    keys = " and ".join(dict.fromkeys(claim.key for claim, _ in pairs))
    others = ", ".join(sorted({f"{other.name} ({other.image})" for _, other in pairs})[:5])
    claim = pairs[0][0]
    return Problem(
        key="write-back-target",
        value=f"{keys} in {claim.file.rpartition(' ')[2]}"[:200],
        message=f"{others} writes the same value for another image: give each Application a file or key "
        "of its own. Neither is promoted until then.",
        code=TARGET_CONFLICT,
        alias=claim.alias,
    )


def _sharing(rows: "QuerySet[Application]") -> dict[int, str]:
    """Return the Applications whose file another one writes too, with that file."""
    files: dict[str, list[int]] = defaultdict(list)
    git = rows.filter(write_back__method="git")
    for pk, *place in git.values_list("pk", *(f"write_back__{name}" for name in _PLACE)):
        files[_file(*place)].append(pk)
    return {pk: file for file, pks in files.items() if len(pks) > 1 for pk in pks}


def _file(repository: object, base: object, write: object, kind: object, path: object) -> str:
    branch = write or ("" if base == "HEAD" else base) or ""
    return f"{repository_urls.normalize(str(repository or ''))} {branch} {kind} {path}"


def _claims(shared: Mapping[int, str]) -> list[Claim]:
    images = TrackedImage.objects.filter(application__in=list(shared), removed_at=None)
    rows = images.select_related("application", "image_repository__registry")
    return [
        Claim(
            application=row.application_id,
            name=row.application.full_name,
            alias=row.alias,
            image=str(row.image_repository),
            file=shared[row.application_id],
            key=key,
        )
        for row in rows.defer("application__manifest").order_by("application", "position")
        for key in _keys(row.application, store.from_json(row.configuration))
    ]


def _keys(application: Application, image: ImageConfiguration) -> list[str]:
    """Return the keys that a write-back of the image sets."""
    kind = (application.write_back.get("target") or {}).get("kind")
    written = application.source_type
    if kind == targets.KUSTOMIZATION or written == sources.KUSTOMIZE:
        return [image.kustomize.name or image.reference.repository]
    target = image.plugin if written == sources.PLUGIN else fitting.effective_helm(image.helm)
    return [name for name in (target.name, target.tag, target.spec) if name]


def _settle(application: Application, found: Sequence[Problem], *, by: Actor) -> None:
    """Store what was found, switch its images on or off, and record what is new."""
    own = [problem for problem in application.problems if problem["code"] != TARGET_CONFLICT]
    before, after = keep(application), [asdict(problem) for problem in found]
    if before == after:
        return
    with transaction.atomic():
        leases.require_held()
        application.problems = [*own, *after]
        application.save(update_fields=["problems"])
        _set_usable(application)
        for problem in (problem for problem in after if problem not in before):
            audit.record(
                kind=AuditKind.CONFIGURATION_PROBLEM_FOUND,
                by=by,
                subject=audit.about(application, image=problem["alias"] or ""),
                details=problem,
            )


def _set_usable(application: Application) -> None:
    """Switch the images on that nothing fatal stands against, and the others off."""
    images = application.tracked_images.filter(removed_at=None)
    for image in images.only("alias"):
        images.filter(pk=image.pk).update(is_usable=is_usable(application, image.alias))
