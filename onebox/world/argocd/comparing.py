"""Comparing what Git says with what runs: revisions, manifests, and each object's sync status."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onebox.world.argocd import children, generate_paths, manifests, rendering, sources
from onebox.world.argocd.installation import Installation, Memory, key_of
from onebox.world.argocd.manifests import ObjectKey
from onebox.world.argocd.rendering import Rendered
from onebox.world.argocd.snapshot import RenderError, Snapshot
from onebox.world.argocd.sources import Sources
from onebox.world.cluster.documents import Json

SYNCED, OUT_OF_SYNC, UNKNOWN = "Synced", "OutOfSync", "Unknown"


@dataclass(frozen=True, slots=True)
class ObjectState:
    """One object and whether it is what Git says."""

    key: ObjectKey
    version: str
    status: str
    must_go: bool = False  # it runs, and Git no longer names it


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison; with an `error` nothing could be compared."""

    sources: Sources
    revisions: tuple[str, ...]
    source_types: tuple[str, ...] = ()
    objects: tuple[ObjectState, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""

    @property
    def status(self) -> str:
        """Synced, OutOfSync or Unknown."""
        if self.error:
            return UNKNOWN
        is_same = all(item.status == SYNCED for item in self.objects)
        return SYNCED if is_same else OUT_OF_SYNC


def compare(
    installation: Installation, app: Json, memory: Memory, *, level: int, is_hard: bool = False
) -> Comparison:
    """Compare an Application; level 3 asks for revisions afresh, level 1 not at all (section 2.1)."""
    stated = sources.of_spec(app["spec"])
    try:
        if level == 1 and memory.rendered is not None:
            rendered = memory.rendered
        else:
            rendered = _rendered(installation, app, memory, level=level, is_hard=is_hard)
    except RenderError as error:
        return Comparison(stated, stated.targets, error=f"Failed to load target state: {error}")
    wanted, warnings = by_key(rendered.manifests, app)
    states = _states(installation, app, wanted)
    return Comparison(
        stated, rendered.revisions, rendered.source_types, tuple(states), tuple(warnings)
    )


def render(
    installation: Installation, app: Json, stated: Sources, revisions: Sequence[str]
) -> Rendered:
    """Render sources at commits. Raises: RenderError."""
    project = app["spec"].get("project", "")

    def open_snapshot(url: str, commit: str, path: str) -> Snapshot:
        return installation.repositories.snapshot(url, commit, path, project)

    return rendering.render(stated.items, revisions, installation.instance(app), open_snapshot)


def resolve(
    installation: Installation, app: Json, stated: Sources, *, is_fresh: bool
) -> tuple[str, ...]:
    """Return the commits the sources' target revisions mean. Raises: RenderError."""
    project, found = app["spec"].get("project", ""), []
    for index, source in enumerate(stated.items, start=1):
        url, revision = source["repoURL"], source.get("targetRevision", "")
        try:
            repositories = installation.repositories
            found.append(repositories.resolve(url, revision, project, is_fresh=is_fresh))
        except RenderError as error:
            raise rendering.at_source(index, len(stated.items), error) from error
    return tuple(found)


def _rendered(
    installation: Installation, app: Json, memory: Memory, *, level: int, is_hard: bool
) -> Rendered:
    """Render, unless the same commits were rendered before or no named path was touched since."""
    stated = sources.of_spec(app["spec"])
    revisions = resolve(installation, app, stated, is_fresh=level >= 3)
    before = memory.rendered if memory.rendered_from == stated.as_stated() else None
    if before is None or is_hard:
        made = render(installation, app, stated, revisions)
    elif before.revisions == revisions:
        made = before
    elif _is_untouched(installation, app, stated, before.revisions, revisions):
        made = Rendered(revisions, before.source_types, before.manifests)
    else:
        made = render(installation, app, stated, revisions)
    memory.rendered, memory.rendered_from = made, stated.as_stated()
    return made


def _is_untouched(
    installation: Installation,
    app: Json,
    stated: Sources,
    old: Sequence[str],
    new: Sequence[str],
) -> bool:
    setting = app["metadata"].get("annotations", {}).get(generate_paths.ANNOTATION)
    if not setting:
        return False
    project = app["spec"].get("project", "")
    for source, before, after in zip(stated.items, old, new, strict=True):
        changed = installation.repositories.changed_files(source["repoURL"], before, after, project)
        if generate_paths.is_touched(setting, source.get("path", ""), changed):
            return False
    return True


def by_key(rendered: Iterable[Json], app: Json) -> tuple[dict[ObjectKey, Json], list[str]]:
    """Return manifests by identity; of two with the same identity the last wins, with a warning."""
    namespace = app["spec"]["destination"].get("namespace") or "default"
    found: dict[ObjectKey, Json] = {}
    warnings = []
    for manifest in rendered:
        key = manifests.key_of(manifest, namespace)
        if key in found:
            warnings.append(f"Resource {key} appeared 2 times among application resources.")
        found[key] = manifest
    return found, warnings


def _states(
    installation: Installation, app: Json, wanted: Mapping[ObjectKey, Json]
) -> list[ObjectState]:
    live = installation.live.objects(key_of(app))
    states = []
    for key, manifest in wanted.items():
        if key.is_application:
            is_same = children.is_as_stated(installation, app, manifest)
        else:
            is_same = key in live and live[key].manifest == manifest
        status = SYNCED if is_same else OUT_OF_SYNC
        states.append(ObjectState(key, manifests.version_of(manifest), status))
    extra = [(key, item.manifest) for key, item in live.items() if key not in wanted]
    for key, manifest in [*extra, *children.left_over(installation, app, wanted)]:
        version = manifests.version_of(manifest)
        states.append(ObjectState(key, version, OUT_OF_SYNC, must_go=True))
    return sorted(states, key=lambda state: state.key)
