"""The pull-request mode of an ImageUpdater resource (specification 1.2, 3.3.6), or of our own annotation."""

from updater.configuration import untrusted
from updater.configuration.annotation_keys import PULL_REQUEST
from updater.configuration.findings import Findings
from updater.configuration.manifest import Manifest
from updater.configuration.written import PullRequestSettings, Setting

_PROVIDERS = ("github", "gitlab")
_OWN_PROVIDERS = ("gitea",)  # upstream has none for it
_MAX_LABELS = 100
_MAX_LABEL_LENGTH = 255


def written(
    place: str, block: object, findings: Findings, *, exact: bool
) -> PullRequestSettings | None:
    """Return the pull-request settings, None with a finding when they are no use."""
    known = _PROVIDERS if exact else (*_PROVIDERS, *_OWN_PROVIDERS)
    present = [name for name in known if untrusted.find(block, name) is not None]
    labels = untrusted.items(block, "labels")
    setting = Setting(place, ", ".join(present))
    if len(present) != 1:
        _refuse(findings, setting, f"Name exactly one of {', '.join(known)}.")
    elif len(labels) > _MAX_LABELS or not all(map(_is_label, labels)):
        message = f"Use at most {_MAX_LABELS} labels of 1 to {_MAX_LABEL_LENGTH} characters."
        _refuse(findings, setting, message)
    else:
        return PullRequestSettings(setting, present[0], tuple(str(label) for label in labels))
    return None


def annotated(
    manifest: Manifest, resource: PullRequestSettings | None, findings: Findings
) -> PullRequestSettings | None:
    """Return what our own annotation says; without one, what the resource does."""
    value = manifest.annotations.get(PULL_REQUEST)
    if value is None:
        return resource
    setting = Setting(PULL_REQUEST, untrusted.shown(value))
    known = (*_PROVIDERS, *_OWN_PROVIDERS)
    if setting.text not in known:
        _refuse(findings, setting, f"Write one of {', '.join(known)}.")
    elif resource is not None and resource.provider != setting.text:
        _refuse(findings, setting, f"{resource.setting.key} says {resource.provider}: keep one.")
    else:
        return resource or PullRequestSettings(setting, setting.text)
    return None


def _is_label(label: object) -> bool:
    return isinstance(label, str) and 0 < len(label) <= _MAX_LABEL_LENGTH and label.isprintable()


def _refuse(findings: Findings, setting: Setting, message: str) -> None:
    findings.refuse(setting, code="BAD_PULL_REQUEST", message=message)
