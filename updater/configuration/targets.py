"""The write-back target: which file or directory of the git repository is written (specification 3.4)."""

from dataclasses import dataclass

from updater.configuration import paths
from updater.configuration.findings import SettingError
from updater.configuration.model import Target

ARGOCD_SOURCE, HELM_VALUES, KUSTOMIZATION = "argocd-source", "helmvalues", "kustomization"
_DEFAULT_VALUES_FILE = "values.yaml"
_OVERRIDE_PREFIX = ".argocd-source-"
_KUSTOMIZATION_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class TargetError(SettingError):
    """Not a write-back target."""

    code = "BAD_TARGET"


@dataclass(frozen=True, slots=True)
class TargetSetting:
    """A target as written: its kind, and the path after the colon (None: none was given)."""

    kind: str
    path: str | None

    def resolve(self, source_path: str) -> Target:
        """Return the target in the repository; a relative path starts at the source path."""
        if self.kind == KUSTOMIZATION:
            return Target(self.kind, paths.resolve(self.path or "", within=source_path))
        path = _DEFAULT_VALUES_FILE if self.path is None else self.path
        return Target(self.kind, paths.check_file(paths.resolve(path, within=source_path)))


def parse(text: str) -> TargetSetting:
    """Return the target that was written, not yet resolved.

    Raises:
        TargetError: a kustomization file by its name, or a word that only begins like a known one.
    """
    kind, colon, path = text.strip(" ").partition(":")
    if kind in (HELM_VALUES, KUSTOMIZATION):
        return TargetSetting(kind, path if colon else None)
    if text.startswith((HELM_VALUES, KUSTOMIZATION)) and "/" not in kind and "." not in kind:
        raise TargetError("Write helmvalues:<file> or kustomization:<directory>, with a colon.")
    return _raw(text.strip(" "))


def default(name: str, *, source_path: str) -> Target:
    """Return the override file in the source path."""
    return Target(ARGOCD_SOURCE, paths.resolve(name, within=source_path))


def _raw(text: str) -> TargetSetting:
    name = text.rpartition("/")[2]
    if name in _KUSTOMIZATION_NAMES:
        raise TargetError("Write kustomization:<directory> to change a kustomization file.")
    is_values = name.endswith((".yaml", ".yml")) and not name.startswith(_OVERRIDE_PREFIX)
    return TargetSetting(HELM_VALUES if is_values else ARGOCD_SOURCE, f"/{text}")
