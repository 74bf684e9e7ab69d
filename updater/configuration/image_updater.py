"""Reads one application reference of an ImageUpdater resource into what was written (1.2).

Three levels merge field by field: resource, application reference, image. A field that is set replaces.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from updater.configuration import (
    image_list,
    pull_requests,
    resource_fields,
    untrusted,
    verification,
)
from updater.configuration.findings import Findings
from updater.configuration.matching import Reference
from updater.configuration.written import (
    ListedImage,
    Setting,
    TargetSettings,
    UpdateSettings,
    WriteBackSettings,
    WrittenConfiguration,
)

_ALIAS = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-._]{0,252}")
_TARGETS: Mapping[str, Sequence[str]] = {
    "helm": ("name", "tag", "spec"),
    "kustomize": ("name",),
    "plugin": ("name", "tag", "spec"),
}


def written(reference: Reference, findings: Findings, *, exact: bool) -> WrittenConfiguration:
    """Return what the resource says for the Applications of one reference."""
    listed = untrusted.items(reference.document, "images")
    _check_count(listed, reference, findings)
    reader = _ImageReader(reference, findings, exact=exact)
    found = [
        reader.image(f"{reference.place}.images[{index}]", document)
        for index, document in enumerate(listed[: image_list.MAX_IMAGES])
    ]
    images = [image for image in found if image]
    entries = [image.entry for image in images]
    kept = image_list.unique(f"{reference.place}.images", entries, findings)
    return WrittenConfiguration(
        is_listed=bool(listed),
        images=tuple(image for image in images if any(image.entry is entry for entry in kept)),
        write_back=_write_back(reference, findings, exact=exact),
    )


class _ImageReader:
    """Reads the images of one reference over what they inherit."""

    def __init__(self, reference: Reference, findings: Findings, *, exact: bool) -> None:
        self._findings = findings
        self._exact = exact
        self._inherited = UpdateSettings()
        self._documents = [document for _, document in _levels(reference)]
        for place, document in _levels(reference):
            self._inherited = _update(place, document).over(self._inherited)

    def image(self, place: str, document: object) -> ListedImage | None:
        """Return one image, None with a finding when it cannot be read at all."""
        alias, name = (untrusted.text(document, key) for key in ("alias", "imageName"))
        setting = Setting(f"{place}.imageName", name)
        if not name or not _ALIAS.fullmatch(alias):
            message = "An image needs an alias (letters, digits, - . _) and an imageName."
            self._findings.refuse(setting, code="BAD_IMAGE", message=message, alias=alias or place)
            return None
        entry = image_list.read_entry(
            setting, f"{alias}={name}", self._findings, alias=alias, exact=self._exact
        )
        if entry is None:
            return None
        verification.check(place, *self._documents, document, findings=self._findings, alias=alias)
        update = _update(place, document).over(self._inherited)
        return ListedImage(setting, entry, update, self._targets(place, document, alias))

    def _targets(self, place: str, document: object, alias: str) -> TargetSettings:
        blocks = untrusted.mapping(document, "manifestTargets")
        present = [kind for kind in _TARGETS if blocks.get(kind) is not None]
        setting = Setting(f"{place}.manifestTargets", ", ".join(present))
        if "manifestTargets" in untrusted.mapping(document) and len(present) != 1:
            self._refuse(setting, "Name exactly one of helm, kustomize and plugin.", alias)
        plugin = untrusted.mapping(blocks, "plugin")
        if "plugin" in present and not (plugin.get("spec") or plugin.get("name")):
            self._refuse(setting, "A plugin target needs a spec or a name.", alias)
        return TargetSettings(
            **{
                f"{kind}_{name}": _filled(f"{place}.manifestTargets.{kind}", blocks.get(kind), name)
                for kind in present
                for name in _TARGETS[kind]
            }
        )

    def _refuse(self, setting: Setting, message: str, alias: str) -> None:
        self._findings.refuse(setting, code="BAD_TARGET", message=message, alias=alias)


def _levels(reference: Reference) -> list[tuple[str, object]]:
    resource = f"ImageUpdater {reference.resource}: spec"
    return [(resource, reference.spec), (reference.place, reference.document)]


def _check_count(listed: list[object], reference: Reference, findings: Findings) -> None:
    setting = Setting(f"{reference.place}.images", str(len(listed)))
    if len(listed) > image_list.MAX_IMAGES:
        message = f"An Application may have {image_list.MAX_IMAGES} images: split it."
        findings.refuse(setting, code="TOO_MANY_IMAGES", message=message)
    if not listed:
        message = "The reference names no image: list some, or set useAnnotations."
        findings.warn(setting, code="NO_IMAGES", message=message)


def _update(place: str, document: object) -> UpdateSettings:
    settings = untrusted.mapping(document, "commonUpdateSettings")
    place = f"{place}.commonUpdateSettings"
    return UpdateSettings(
        strategy=resource_fields.text(place, settings, "updateStrategy"),
        force_update=resource_fields.boolean(place, settings, "forceUpdate"),
        allow_tags=resource_fields.text(place, settings, "allowTags"),
        ignore_tags=resource_fields.texts(place, settings, "ignoreTags"),
        pull_secret=resource_fields.text(place, settings, "pullSecret"),
        platforms=resource_fields.texts(place, settings, "platforms"),
    )


def _write_back(reference: Reference, findings: Findings, *, exact: bool) -> WriteBackSettings:
    merged = WriteBackSettings()
    for place, document in _levels(reference):
        merged = _over(
            merged, f"{place}.writeBackConfig", untrusted.mapping(document, "writeBackConfig")
        )
    levels = [
        (f"{place}.writeBackConfig.gitConfig.pullRequest", block)
        for place, document in _levels(reference)
        if (block := untrusted.find(document, "writeBackConfig", "gitConfig", "pullRequest"))
        is not None
    ]
    if not levels:
        return merged
    return replace(merged, pull_request=pull_requests.written(*levels[-1], findings, exact=exact))


def _over(lower: WriteBackSettings, place: str, block: Mapping[str, object]) -> WriteBackSettings:
    git, git_place = untrusted.mapping(block, "gitConfig"), f"{place}.gitConfig"
    return WriteBackSettings(
        method=_filled(place, block, "method") or lower.method,
        repository=_filled(git_place, git, "repository") or lower.repository,
        branch=_filled(git_place, git, "branch") or lower.branch,
        target=_filled(git_place, git, "writeBackTarget") or lower.target,
    )


def _filled(place: str, document: object, name: str) -> Setting | None:
    found = resource_fields.text(place, document, name)
    return found if found and found.text else None
