"""Checks that the images fit the source they are written to, and each other."""

from collections import Counter
from collections.abc import Sequence

from updater.configuration import sources
from updater.configuration.findings import Findings
from updater.configuration.model import HelmTarget, ImageConfiguration, PluginTarget
from updater.configuration.written import Setting


def check(
    images: Sequence[ImageConfiguration], *, source_type: str, key: str, findings: Findings
) -> None:
    """Refuse images that would write nothing, and warn of those that write the same parameter."""
    if source_type == sources.PLUGIN:
        _refuse_without_plugin_target(images, key, findings)
    if source_type == sources.HELM:
        _warn_of_shared_parameters(images, key, findings)


def effective_helm(target: HelmTarget) -> HelmTarget:
    """Return the parameters that are written: the spec alone, or name and tag with their defaults."""
    if target.spec:
        return HelmTarget(spec=target.spec)
    return HelmTarget(target.name or "image.name", target.tag or "image.tag")


def _refuse_without_plugin_target(
    images: Sequence[ImageConfiguration], key: str, findings: Findings
) -> None:
    for image in images:
        if image.plugin == PluginTarget():
            findings.refuse(
                Setting(key, image.key),
                code="NO_PLUGIN_TARGET",
                message="Nothing would be written: give the image a plugin target, or use git.",
                alias=image.key,
            )


def _warn_of_shared_parameters(
    images: Sequence[ImageConfiguration], key: str, findings: Findings
) -> None:
    written = {image.key: _parameters(effective_helm(image.helm)) for image in images}
    counts = Counter(name for names in written.values() for name in names)
    for alias, names in written.items():
        shared = sorted(name for name in names if counts[name] > 1)
        if shared:
            findings.warn(
                Setting(key, alias),
                code="SHARED_PARAMETER",
                message=f"Another image writes {' and '.join(shared)} too, and the last one wins: "
                "set helm.image-name and helm.image-tag.",
                alias=alias,
            )


def _parameters(target: HelmTarget) -> set[str]:
    return {name for name in (target.name, target.tag, target.spec) if name}
