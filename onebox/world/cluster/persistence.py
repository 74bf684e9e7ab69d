"""Keeping the objects in a folder, one JSON file each, so that a restarted world is the same world."""

import json
from pathlib import Path

from onebox.world.cluster.documents import Json
from onebox.world.cluster.resources import Resource

_VERSION_FILE = "resource-version"


def load(folder: Path, objects: dict[Resource, dict[tuple[str, str], Json]]) -> int:
    """Fill `objects` from the folder and return the last resourceVersion."""
    for resource, by_name in objects.items():
        for path in sorted((folder / resource.qualified_name).glob("*/*.json")):
            by_name[path.parent.name, path.stem] = json.loads(path.read_bytes())
    version_file = folder / _VERSION_FILE
    return int(version_file.read_text()) if version_file.exists() else 0


def save(folder: Path, resource: Resource, manifest: Json, *, is_gone: bool) -> None:
    """Write or remove the file of one object, then the version."""
    metadata = manifest["metadata"]
    path = folder / resource.qualified_name / metadata["namespace"] / f"{metadata['name']}.json"
    if is_gone:
        path.unlink(missing_ok=True)
    else:
        _replace(path, json.dumps(manifest))
    _replace(folder / _VERSION_FILE, metadata["resourceVersion"])


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)
