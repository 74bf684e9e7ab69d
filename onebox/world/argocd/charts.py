"""Rendering a Helm chart simply: the values in their order of precedence, and one Deployment per image in them."""

from collections.abc import Mapping

from onebox.world.argocd import manifests, values, yaml_text
from onebox.world.argocd.snapshot import RenderError, Snapshot
from onebox.world.cluster.documents import Json


def render(
    source: Json, snapshot: Snapshot, refs: Mapping[str, Snapshot], release: str
) -> list[Json]:
    """Return what a chart in `path` of the snapshot yields; `refs` are the sources named `$ref`.

    Raises: RenderError.
    """
    helm = source.get("helm") or {}
    settled = merged_values(source, snapshot, refs)
    name = helm.get("releaseName") or release
    return [
        manifests.deployment("-".join((name, *found.path)), found.image, found.replicas)
        for found in values.workloads(settled)
    ]


def merged_values(source: Json, snapshot: Snapshot, refs: Mapping[str, Snapshot]) -> Json:
    """Return chart values, value files, inline values and parameters, later ones winning."""
    helm = source.get("helm") or {}
    settled: Json = _file(snapshot, "values.yaml", is_optional=True)
    for name in helm.get("valueFiles") or []:
        is_optional = bool(helm.get("ignoreMissingValueFiles"))
        settled = values.overlay(
            settled, _value_file(name, snapshot, refs, is_optional=is_optional)
        )
    settled = values.overlay(settled, _inline(helm))
    return values.set_parameters(settled, helm.get("parameters") or [])


def _inline(helm: Json) -> Json:
    if "valuesObject" in helm:
        inline: Json = helm["valuesObject"] or {}
        return inline
    return _parse(helm.get("values") or "", "helm.values")


def _value_file(
    name: str, snapshot: Snapshot, refs: Mapping[str, Snapshot], *, is_optional: bool
) -> Json:
    """Read `file`, `/file-from-root` or `$ref/file-from-the-root-of-another-source`."""
    if not name.startswith("$"):
        return _file(snapshot, name, is_optional=is_optional)
    ref, _, path = name[1:].partition("/")
    if ref not in refs:
        raise RenderError(
            f"source referenced {name!r}, but no source has a 'ref' field set to {ref!r}"
        )
    return _file(refs[ref], f"/{path}", is_optional=is_optional)


def _file(snapshot: Snapshot, name: str, *, is_optional: bool) -> Json:
    content = snapshot.read(name)
    if content is None and not is_optional:
        raise RenderError(f"open {name}: no such file or directory")
    return _parse((content or b"").decode("utf-8", "replace"), name)


def _parse(text: str, name: str) -> Json:
    try:
        loaded = yaml_text.load(text)
    except yaml_text.YAMLTextError as error:
        raise RenderError(f"failed to parse {name}: {error}") from error
    if loaded is not None and not isinstance(loaded, dict):
        raise RenderError(f"failed to parse {name}: values must be an object")
    return loaded or {}
