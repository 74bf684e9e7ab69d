"""Rendering directories of YAML and kustomizations: manifests as they stand, with images replaced; pure."""

import copy
import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

from onebox.world.argocd import manifests, yaml_text
from onebox.world.argocd.snapshot import RenderError, Snapshot
from onebox.world.cluster.documents import Json

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


@dataclass(frozen=True, slots=True)
class ImageChange:
    """A kustomize image entry: `name` in the manifests becomes `new_name` with tag or digest."""

    name: str
    new_name: str = ""
    tag: str = ""
    digest: str = ""


def render_directory(source: Json, snapshot: Snapshot) -> list[Json]:
    """Return every manifest of a directory."""
    settings = source.get("directory") or {}
    names = snapshot.names(is_recursive=bool(settings.get("recurse")))
    wanted = [name for name in names if _is_wanted(name, settings)]
    return [manifest for name in wanted for manifest in _documents(snapshot, name)]


def _is_wanted(name: str, settings: Json) -> bool:
    is_included = fnmatch.fnmatch(name, settings.get("include") or "*")
    is_excluded = bool(settings.get("exclude")) and fnmatch.fnmatch(name, settings["exclude"])
    is_manifest = name.endswith((".yaml", ".yml", ".json")) and not name.startswith(
        ".argocd-source"
    )
    return is_manifest and is_included and not is_excluded


def render_kustomization(source: Json, snapshot: Snapshot) -> list[Json]:
    """Return the resources of a kustomization with its images and the source's images applied."""
    name = next((name for name in KUSTOMIZATIONS if snapshot.read(name) is not None), None)
    if name is None:
        raise RenderError("unable to find one of 'kustomization.yaml', 'kustomization.yml'")
    stated = next(iter(_documents(snapshot, name)), {})
    rendered = [
        manifest for item in stated.get("resources") or [] for manifest in _resource(snapshot, item)
    ]
    changes = [_entry(entry) for entry in stated.get("images") or [] if isinstance(entry, dict)]
    changes += [parse_image(text) for text in (source.get("kustomize") or {}).get("images") or []]
    return [with_images(manifest, changes) for manifest in rendered]


def _resource(snapshot: Snapshot, name: str) -> list[Json]:
    if snapshot.read(name) is None:
        raise RenderError(f"accumulating resources: {name}: no such file or directory")
    return _documents(snapshot, name)


def _entry(entry: Json) -> ImageChange:
    keys = ("name", "newName", "newTag", "digest")
    return ImageChange(*(str(entry.get(key) or "") for key in keys))


def parse_image(text: str) -> ImageChange:
    """Read `[old=]name[:tag][@digest]`."""
    old, has_old, new = text.rpartition("=")
    rest, _, digest = new.partition("@")
    head, colon, last = rest.rpartition(":")
    name, tag = (head, last) if colon and "/" not in last else (rest, "")
    return ImageChange(old if has_old else name, name, tag, digest)


def with_images(manifest: Json, changes: Iterable[ImageChange]) -> Json:
    """Return a manifest with the images of its containers replaced; the last change of a name wins."""
    by_name = {change.name: change for change in changes}
    changed = copy.deepcopy(manifest)
    for container in manifests.containers(changed):
        now = parse_image(str(container.get("image", "")))
        if now.name in by_name:
            container["image"] = _replaced(now, by_name[now.name])
    return changed


def _replaced(now: ImageChange, change: ImageChange) -> str:
    name = change.new_name or now.name
    if change.digest:
        return f"{name}@{change.digest}"
    tag = change.tag or now.tag
    if tag:
        return f"{name}:{tag}"
    return f"{name}@{now.digest}" if now.digest else name


def _documents(snapshot: Snapshot, name: str) -> list[Json]:
    content = snapshot.read(name) or b""
    try:
        documents = yaml_text.load_all(content.decode("utf-8", "replace"))
    except yaml_text.YAMLTextError as error:
        raise RenderError(f"failed to unmarshal {name}: {error}") from error
    return [document for document in documents if isinstance(document, dict)]
