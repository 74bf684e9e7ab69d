"""`explain write-back`: what would be written for given tags, over a directory that is only read."""

import argparse
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from updater import images, writeback
from updater.configuration import reading
from updater.configuration.model import ApplicationConfiguration, ImageConfiguration
from updater.errors import UpdaterError
from updater.explain import documents
from updater.explain.documents import DocumentError
from updater.selection import Strategy
from updater.writeback import ImageChange, Plan, WriteBackError

_MAX_BYTES = 1024 * 1024
_SETTING = re.compile(r"(?P<key>[^=]+)=(?P<tag>[^@]*)(?:@(?P<digest>.+))?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the subcommand."""
    add = parser.add_argument
    add("file", help="Application manifest, YAML or JSON; - for standard input")
    add("--tree", required=True, metavar="DIR", help="checkout of the git repository; only read")
    add(
        "--set",
        action="append",
        required=True,
        dest="changes",
        metavar="ALIAS=TAG[@DIGEST]",
        help="the tag an image moves to; may be given several times",
    )
    add(
        "--image-updater",
        action="append",
        default=[],
        metavar="FILE",
        help="ImageUpdater resources",
    )
    add("--argocd-namespace", default="argocd", help="namespace of Argo CD, where nothing tells")
    add("--commit-template", metavar="FILE", help="template of the commit message")
    add(
        "--pin",
        choices=("tag", "digest"),
        default="tag",
        help="what the approval policy asks for; the stricter of it and the annotation counts",
    )
    add("--exact", action="store_true", help="write the bytes of Argo CD Image Updater v1.3")
    add("--allow-http", action="store_true", help="accept git repositories over plain http")


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return what would be written, and 1 if it is refused; it never raises one of our own errors."""
    try:
        return _explained(_plan(options)), 0
    except UpdaterError as error:
        return {**_explained(None), "error": str(error)}, 1


def _explained(plan: Plan | None) -> dict[str, Any]:
    return {
        "branch": plan.branch if plan else None,
        "base_branch": plan.base_branch if plan else None,
        "message": plan.message if plan else None,
        "files": [
            {"path": file.path, "before": _shown(file.before), "after": _shown(file.after)}
            for file in (plan.files if plan else ())
        ],
        "argocd_patch": plan.argocd_patch if plan else None,
        "warnings": list(plan.warnings) if plan else [],
        "error": None,
    }


def _plan(options: Mapping[str, Any]) -> Plan:
    manifest = documents.read_one(options["file"], kind="Application")
    resources = [
        resource
        for name in options["image_updater"]
        for resource in documents.read_all(name, kind="ImageUpdater")
    ]
    configuration = reading.read(
        manifest,
        image_updaters=resources,
        argocd_namespace=options["argocd_namespace"],
        exact=options["exact"],
        allow_http=options["allow_http"],
    )
    if options["pin"] == "digest":
        configuration = replace(configuration, pin="digest")
    template = options.get("commit_template")
    return writeback.plan(
        manifest=manifest,
        configuration=configuration,
        changes=_changes(configuration, options["changes"], exact=options["exact"]),
        read_file=tree_reader(options["tree"]),
        commit_template=_template(template) if template else None,
        exact=options["exact"],
    )


def _template(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{name} cannot be read: {error}.") from error


def _changes(
    configuration: ApplicationConfiguration, settings: Sequence[str], *, exact: bool
) -> list[ImageChange]:
    by_key = {image.key: image for image in configuration.images}
    return [_change(by_key, setting, exact=exact) for setting in settings]


def _change(by_key: Mapping[str, ImageConfiguration], setting: str, *, exact: bool) -> ImageChange:
    found = _SETTING.fullmatch(setting)
    if not found:
        raise WriteBackError(
            f"{setting[:200]!r} is no change: write ALIAS=TAG or ALIAS=TAG@DIGEST."
        )
    key, tag, digest = found.group("key", "tag", "digest")
    image = by_key.get(key)
    if image is None:
        known = ", ".join(by_key) or "none"
        raise WriteBackError(f"{key[:200]!r} is not a configured image; configured: {known[:500]}.")
    new = digest if digest and image.strategy is Strategy.DIGEST else tag
    return ImageChange(key=key, tag=tag, digest=digest, old=_running(image, exact=exact), new=new)


def _running(image: ImageConfiguration, *, exact: bool) -> str:
    """Return what messages call the old one: the live digest, else the live tag (2.10)."""
    for text in image.live:
        live = images.parse(text, exact=exact)
        return live.digest or live.tag or ""
    return ""


def tree_reader(root: str) -> Callable[[str], bytes | None]:
    """Return a function that reads files below a directory and follows no symbolic link.

    Raises (the function): WriteBackError when a link, a directory or a huge file is in the way.
    """
    return lambda path: _read(root, path)


def _read(root: str, path: str) -> bytes | None:
    *directories, name = path.split("/")
    here = _open_root(root)
    try:
        for directory in directories:
            here = _enter(here, directory)
        return _content(here, name)
    except FileNotFoundError:
        return None
    except OSError as error:
        # ELOOP and ENOTDIR: a link, or a file where a directory should be
        raise WriteBackError(f"{path} cannot be read: {error.strerror}.") from error
    finally:
        os.close(here)


def _open_root(root: str) -> int:
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DocumentError(f"{root} cannot be read: {error.strerror}.") from error


def _enter(here: int, name: str) -> int:
    if name in ("", "..", "."):
        raise WriteBackError(f"{name!r} is no directory of a repository.")
    deeper = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
    os.close(here)
    return deeper


def _content(here: int, name: str) -> bytes:
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    with os.fdopen(file, "rb") as stream:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
            raise WriteBackError(f"{name} is not a file of at most {_MAX_BYTES} bytes.")
        return stream.read(_MAX_BYTES + 1)


def _shown(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "replace")
