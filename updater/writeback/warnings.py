"""What a person should know before the plan is carried out, though nothing is refused."""

from collections.abc import Mapping
from typing import Any

from updater import patterns
from updater.configuration import paths, sources, targets, untrusted
from updater.configuration.findings import SettingError
from updater.configuration.model import ApplicationConfiguration
from updater.overrides import argocd_source, image_strings, kustomize_source
from updater.overrides.image_strings import ImageString
from updater.patterns import PatternError
from updater.writeback.source import Source

_GENERATE_PATHS = "argocd.argoproj.io/manifest-generate-paths"
_TRACKING_ID = "argocd.argoproj.io/tracking-id"
_INSTANCE = "app.kubernetes.io/instance"
_SHOWN = 20


def of_git(
    configuration: ApplicationConfiguration, source: Source, path: str, after: bytes
) -> list[str]:
    """Return what the file hides, and whether Argo CD would not look at it."""
    found = _uncovered(configuration, source, path)
    target = configuration.write_back.target
    if target is not None and target.kind == targets.ARGOCD_SOURCE:
        found += _hidden(configuration.source_type or "", source, path, after)
    return found


def of_live(manifest: Mapping[str, Any]) -> list[str]:
    """Return who will write the old values back into the Application (argo-cd 7.2, 7.3)."""
    owners = [
        untrusted.text(owner, "name")
        for owner in untrusted.items(manifest, "metadata", "ownerReferences")
        if untrusted.find(owner, "kind") == "ApplicationSet"
    ]
    warnings = [
        f"The ApplicationSet {name} owns this Application: the change will be reverted by its owner."
        for name in owners
    ]
    parent = _parent(manifest)
    if parent:
        warnings.append(
            f"The Application {parent} manages this one: the change will be reverted by its owner."
        )
    return warnings


def _parent(manifest: Mapping[str, Any]) -> str:
    """Return the Application that tracks this one; a mark that names another object is a copy."""
    name = untrusted.text(manifest, "metadata", "name")
    namespace = untrusted.text(manifest, "metadata", "namespace")
    annotations = untrusted.mapping(manifest, "metadata", "annotations")
    parent, _, rest = untrusted.text(annotations, _TRACKING_ID).partition(":")
    if rest and rest == f"argoproj.io/Application:{namespace}/{name}":
        return parent
    labels = untrusted.mapping(manifest, "metadata", "labels")
    instance = untrusted.text(labels, _INSTANCE)
    return instance if not rest and instance != name else ""


def _hidden(kind: str, source: Source, path: str, after: bytes) -> list[str]:
    """Name what the Application sets itself and the file's list takes the place of."""
    if kind == sources.KUSTOMIZE:
        held = kustomize_source.strings(after)
        names = [
            text
            for text in source.image_strings()
            if not image_strings.find_same(held, ImageString(text), exact=False)
        ]
    elif kind == sources.PLUGIN:
        present = argocd_source.plugin_values(after)
        names = [name for name in source.named(kind) if name not in present]
    else:
        present = argocd_source.helm_values(after)
        names = [name for name in source.named(sources.HELM) if name not in present]
    if not names or not after:
        return []
    shown = ", ".join(name[:80] for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    what = {sources.KUSTOMIZE: "Images", sources.PLUGIN: "Variables"}.get(kind, "Helm parameters")
    return [f"{what} of the Application that {path} hides: {shown}{more}."]


def _uncovered(configuration: ApplicationConfiguration, source: Source, path: str) -> list[str]:
    annotations = untrusted.mapping(source.manifest, "metadata", "annotations")
    setting = untrusted.text(annotations, _GENERATE_PATHS)
    if not setting or configuration.write_back.repository != source.repository:
        return []
    if any(_covers(part, source.path, path) for part in setting.split(";") if part.strip()):
        return []
    warning = (
        f"{_GENERATE_PATHS} does not cover {path}: Argo CD would not render the change. "
        "Add the path, or refresh hard."
    )
    return [warning]


def _covers(part: str, directory: str, path: str) -> bool:
    try:
        wanted = paths.resolve(part.strip(), within=directory)
        if wanted in (".", path) or path.startswith(f"{wanted}/"):
            return True
        return patterns.go_match(wanted, path)
    except (SettingError, PatternError):
        return False
