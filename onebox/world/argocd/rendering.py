"""From the sources of an Application to manifests: override files, source types, refs (sections 3 and 5)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onebox.world.argocd import charts, override, plain_yaml
from onebox.world.argocd.override import OverrideError
from onebox.world.argocd.snapshot import RenderError, Snapshot
from onebox.world.cluster.documents import Json

# repository, revision, path in; a snapshot out
OpenSnapshot = Callable[[str, str, str], Snapshot]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the sources yield at these revisions."""

    revisions: tuple[str, ...]
    source_types: tuple[str, ...]
    manifests: tuple[Json, ...]


def render(
    sources: Sequence[Json], revisions: Sequence[str], instance: str, open_snapshot: OpenSnapshot
) -> Rendered:
    """Render every source; a ref-only source has the type "" and no manifests.

    Raises: RenderError, naming the source.
    """
    pairs = list(zip(sources, revisions, strict=True))
    refs = {
        source["ref"]: open_snapshot(source["repoURL"], revision, "")
        for source, revision in pairs
        if source.get("ref")
    }
    types, rendered = [], []
    for index, (source, revision) in enumerate(pairs, start=1):
        try:
            kind, made = _render_one(source, revision, refs, instance, open_snapshot)
        except (RenderError, OverrideError) as error:
            raise at_source(index, len(pairs), error) from error
        types.append(kind)
        rendered += made
    return Rendered(tuple(revisions), tuple(types), tuple(rendered))


def at_source(index: int, count: int, error: Exception) -> RenderError:
    """Return an error in the words Argo CD has for a source that cannot be rendered."""
    place = f"failed to generate manifest for source {index} of {count}"
    return RenderError(f"{place}: rpc error: code = Unknown desc = {error}")


def _render_one(
    source: Json,
    revision: str,
    refs: Mapping[str, Snapshot],
    instance: str,
    open_snapshot: OpenSnapshot,
) -> tuple[str, list[Json]]:
    if source.get("chart"):
        raise RenderError("this world has no Helm chart repositories, only charts in Git")
    if source.get("ref") and not source.get("path"):
        return "", []
    snapshot = open_snapshot(source["repoURL"], revision, source.get("path", ""))
    if not snapshot.names(is_recursive=True):
        raise RenderError(f"{source.get('path')}: app path does not exist")
    files = [snapshot.read(name) for name in override.file_names(instance)]
    settled = override.effective_source(source, files)
    kind = source_type(settled, snapshot)
    if kind == "Helm":
        return kind, charts.render(settled, snapshot, refs, instance)
    if kind == "Kustomize":
        return kind, plain_yaml.render_kustomization(settled, snapshot)
    if kind == "Directory":
        return kind, plain_yaml.render_directory(settled, snapshot)
    raise RenderError("this world runs no config management plugins")


def source_type(source: Json, snapshot: Snapshot) -> str:
    """Return the type an explicit object states, else what the directory looks like."""
    stated = [kind for kind in ("helm", "kustomize", "directory", "plugin") if source.get(kind)]
    if len(stated) > 1:
        raise RenderError(f"multiple application sources defined: {', '.join(stated)}")
    if stated:
        return stated[0].capitalize()
    names = snapshot.names()
    if "Chart.yaml" in names:
        return "Helm"
    return "Kustomize" if any(name in plain_yaml.KUSTOMIZATIONS for name in names) else "Directory"
