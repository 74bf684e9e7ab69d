"""What would be written for some images of one Application, given the outside world as it is now.

The promotion page, the seal and the worker all use `prepare`: what is shown is what is written.
Network is used here, so never call this inside a transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from approvals import policy
from approvals.policy import Effective
from updater import clock, images, writeback
from updater.configuration import methods
from updater.configuration.model import ApplicationConfiguration, ImageConfiguration
from updater.connections import Connections
from updater.errors import PermanentError
from updater.inventory.contesting import TARGET_CONFLICT
from updater.models import Application, Candidate, TrackedImage
from updater.selection import Strategy
from updater.writeback import ImageChange, Plan, writers

MAX_COMMITS = 50  # to one file, that are looked through for other writers


class ApplicationChangedError(PermanentError):
    """The Application is gone, being deleted, another one, or told to be left alone."""

    code = "application_changed"


class ImageNotUsableError(PermanentError):
    """The image is no longer configured, or its configuration is broken."""

    code = "image_not_usable"


class NothingToWriteError(PermanentError):
    """What Git holds (or the Application asks for) already is what would be written."""

    code = "nothing_to_write"


@dataclass(frozen=True, slots=True)
class Change:
    """One image that is to move to its candidate."""

    tracked_image: TrackedImage
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with what it was made from."""

    plan: Plan
    configuration: ApplicationConfiguration
    manifest: Mapping[str, Any]
    base_commit: str  # "" for the argocd method
    writers: tuple[str, ...] = ()  # machines that write the same, in words


def prepare(
    application: Application,
    changes: Sequence[Change],
    *,
    world: Connections,
    parent: str | None = None,
    effective: Effective | None = None,
) -> Prepared:
    """Plan the write-back of these changes on top of `parent`, or of the branch as it is now.

    `effective` is what the policy says here, where the caller has read it.

    Raises:
        ApplicationChangedError, ImageNotUsableError, and what the cluster, Git and writeback raise.
    """
    manifest = world.cluster.get_application(application.namespace, application.name)
    _require_same_life(application, manifest)
    configuration = _pinned(world.read(manifest), application, effective)
    wanted = [_image_change(configuration, change) for change in changes]
    if configuration.write_back.method == "git":
        prepared = _prepare_git(
            application, manifest, configuration, wanted, world=world, parent=parent
        )
    else:
        plan = writeback.plan(
            manifest=manifest, configuration=configuration, changes=wanted, read_file=_no_files
        )
        prepared = Prepared(plan, configuration, manifest, base_commit="")
    if parent is not None:
        return prepared  # a worker is writing: who else does was looked at before
    return replace(prepared, writers=_writers(prepared, application, world=world))


def _pinned(
    configuration: ApplicationConfiguration, application: Application, effective: Effective | None
) -> ApplicationConfiguration:
    """Return the configuration pinned by digest where the policy asks for it, whatever the annotation says."""
    pin = policy.stricter_pin(application, configuration.pin, effective=effective)
    return replace(configuration, pin=pin)


def document(prepared: Prepared, *, at: datetime) -> dict[str, Any]:
    """Return the plan as it is stored with the promotion; values of foreign parameters are left out."""
    plan = prepared.plan
    return {
        "method": plan.method,
        "repository": plan.repository or "",
        "secret": own_secret(prepared.configuration),
        "base_branch": plan.base_branch or "",
        "branch": plan.branch or "",
        "base_commit": prepared.base_commit,
        "pull_request": _pull_request(prepared.configuration),
        "message": plan.message,
        "files": [
            {"path": file.path, "before": _text(file.before), "after": _text(file.after)}
            for file in plan.files
        ],
        "edits": [
            {"key": edit.key, "old": edit.old, "new": edit.new, "image": edit.image}
            for edit in plan.edits
        ],
        "warnings": list(plan.warnings),
        "writers": list(prepared.writers),
        "pin": prepared.configuration.pin,
        "at": at.isoformat(),
    }


def _pull_request(configuration: ApplicationConfiguration) -> dict[str, Any] | None:
    write_back = configuration.write_back
    if write_back.method != methods.GIT or not write_back.pull_request:
        return None
    return {"host": write_back.pull_request, "labels": list(write_back.pull_request_labels)}


def own_secret(configuration: ApplicationConfiguration) -> str:
    """Return "namespace/name" of the Git Secret that the Application names itself, else ""."""
    kind, _, name = (configuration.write_back.credentials or "").partition(":")
    return name if kind == "secret" else ""


def configured_image(configuration: ApplicationConfiguration, alias: str) -> ImageConfiguration:
    """Return the usable image of this alias.

    Raises:
        ImageNotUsableError: it is not configured any more, or a fatal problem stands against it.
    """
    for problem in configuration.problems:
        if problem.fatal and problem.alias in (None, alias):
            raise ImageNotUsableError(f"{problem.key}: {problem.message}")
    for image in configuration.images:
        if image.key == alias:
            return image
    raise ImageNotUsableError(f"{alias} is no longer in the Application's image list.")


def _prepare_git(
    application: Application,
    manifest: Mapping[str, Any],
    configuration: ApplicationConfiguration,
    wanted: Sequence[ImageChange],
    *,
    world: Connections,
    parent: str | None,
) -> Prepared:
    write_back = configuration.write_back
    secret = own_secret(configuration)
    mirror = world.mirror(write_back.repository or "", application.project, secret)
    base_branch = write_back.base_branch
    if base_branch in (None, "", "HEAD"):
        base_branch = world.default_branch(mirror)
    resolved = replace(configuration, write_back=replace(write_back, base_branch=base_branch))
    plan_on = partial(
        writeback.plan,
        manifest=manifest,
        configuration=resolved,
        changes=wanted,
        commit_template=world.commit_template,
    )
    tip = parent or world.tip(mirror, base_branch)
    plan = plan_on(read_file=partial(mirror.read_file, tip))
    if write_back.pull_request:
        # What is sealed is the change of the base branch; the branch in between is named from the seal.
        return Prepared(replace(plan, branch=base_branch), resolved, manifest, base_commit=tip)
    branch = plan.branch or base_branch
    if parent is None and branch != base_branch and mirror.branch_exists(branch):
        tip = world.tip(mirror, branch)
        plan = plan_on(read_file=partial(mirror.read_file, tip))
    return Prepared(plan, resolved, manifest, base_commit=tip)


def _writers(
    prepared: Prepared, application: Application, *, world: Connections
) -> tuple[str, ...]:
    """Return the machines that wrote the same since we have known the Application, or are at it now."""
    since = application.first_seen_at
    updaters = writers.of_resources(world.selecting(prepared.manifest), at=clock.now())
    if prepared.plan.method != "git":
        return (*writers.of_live(prepared.manifest, since=since), *updaters)
    repository, secret = prepared.plan.repository or "", own_secret(prepared.configuration)
    mirror = world.mirror(repository, application.project, secret)
    commits = [
        commit
        for file in prepared.plan.files
        for commit in mirror.log_of(file.path, prepared.base_commit, after=since, limit=MAX_COMMITS)
    ]
    return (*writers.of_commits(commits, ours=world.signature.email), *updaters)


def _image_change(configuration: ApplicationConfiguration, change: Change) -> ImageChange:
    image = configured_image(configuration, change.tracked_image.alias)
    _require_uncontested(change.tracked_image)
    candidate = change.candidate
    uses_digest = image.strategy is Strategy.DIGEST
    return ImageChange(
        key=image.key,
        tag=candidate.tag,
        digest=candidate.digest,
        old=_running(image),
        new=candidate.digest if uses_digest else candidate.tag,
        labels=candidate.manifest.labels if candidate.manifest else {},
    )


def _require_uncontested(tracked_image: TrackedImage) -> None:
    """Refuse an image that the inventory found to be written by two Applications: no manifest says that."""
    for problem in tracked_image.application.problems:
        if problem.get("code") == TARGET_CONFLICT and problem.get("alias") == tracked_image.alias:
            raise ImageNotUsableError(f"{problem['value']}: {problem['message']}")


def _running(image: ImageConfiguration) -> str:
    # Specification 2.10: the live digest if there is one, else the live tag.
    for text in image.live:
        live = images.parse(text)
        return live.digest or live.tag or ""
    return ""


def _require_same_life(application: Application, manifest: Mapping[str, Any]) -> None:
    metadata = manifest.get("metadata", {})
    if metadata.get("uid") != application.uid:
        raise ApplicationChangedError(
            f"{application} was deleted and created anew; what was proposed was for the old one."
        )
    if metadata.get("deletionTimestamp"):
        raise ApplicationChangedError(f"{application} is being deleted.")
    annotations = metadata.get("annotations") or {}
    if str(annotations.get("argocd.argoproj.io/skip-reconcile")).lower() in ("1", "t", "true"):
        raise ApplicationChangedError(
            f"{application} carries argocd.argoproj.io/skip-reconcile: Argo CD would not act on it."
        )


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "replace")


def _no_files(path: str) -> bytes | None:
    raise AssertionError(f"the argocd method reads no file, asked for {path}")
