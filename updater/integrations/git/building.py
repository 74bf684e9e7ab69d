"""New trees from old ones: only the given files change, only their folders are written anew."""

from collections.abc import Mapping, Sequence

from updater.integrations.git import trees
from updater.integrations.git.errors import NothingToCommitError, TargetNotAFileError
from updater.integrations.git.objects import Objects, Snapshot


def write_tree(
    objects: Objects, snapshot: Snapshot, files: Mapping[str, bytes], *, repository: str
) -> str:
    """Write the files and every folder above them, deepest first; return the SHA of the top."""
    pending: dict[str, list[trees.Entry]] = {"": []}
    for path, content in files.items():
        folder, _, name = path.rpartition("/")
        blob = objects.store("blob", content)
        pending.setdefault(folder, []).append(_file_entry(snapshot, path, name, blob))
    while True:
        folder = max(pending, key=_depth)
        data = _merged(snapshot.folder(folder) or (), pending.pop(folder), repository)
        if not folder and data == snapshot.top:
            raise NothingToCommitError.of(repository, ", ".join(files))
        tree = objects.store("tree", data)
        if not folder:
            return tree
        parent, _, name = folder.rpartition("/")
        pending.setdefault(parent, []).append(_folder_entry(snapshot, parent, name, tree))


def _depth(folder: str) -> int:
    return folder.count("/") + bool(folder)


def _file_entry(snapshot: Snapshot, path: str, name: str, blob: str) -> trees.Entry:
    old = snapshot.file(path)
    return trees.Entry(old.entry.mode if old else trees.NEW_FILE, name.encode(), blob)


def _folder_entry(snapshot: Snapshot, parent: str, name: str, tree: str) -> trees.Entry:
    old = snapshot.entry(parent, name)
    return trees.Entry(old.mode if old else trees.FOLDER, name.encode(), tree)


def _merged(old: Sequence[trees.Entry], new: Sequence[trees.Entry], repository: str) -> bytes:
    names = [entry.name for entry in new]
    if len(set(names)) != len(names):
        clash = next(name for name in names if names.count(name) > 1).decode()
        raise TargetNotAFileError.of(repository, f"{clash!r} is to be a file and a folder at once")
    entries = tuple(old)
    for entry in new:
        entries = trees.replace(entries, entry)
    return trees.serialize(entries)
