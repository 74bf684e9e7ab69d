"""The method git: the file that is written and what it holds afterwards (specification 3.4 to 3.7)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from updater.configuration import sources, targets
from updater.configuration.fitting import effective_helm
from updater.configuration.model import ApplicationConfiguration, ImageConfiguration, Target
from updater.overrides import (
    argocd_source,
    helm_values,
    image_strings,
    kustomization,
    kustomize_source,
)
from updater.overrides.argocd_source import Entry
from updater.overrides.edit import Edited
from updater.overrides.errors import OverrideError
from updater.overrides.helm_values import Value
from updater.overrides.image_strings import ImageString
from updater.writeback.model import WriteBackError
from updater.writeback.source import Source
from updater.writeback.wanted import Wanted, live

ReadFile = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class GitFile:
    """The file, before and after."""

    path: str
    before: bytes | None
    edited: Edited


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes what is wanted into the target of one Application."""

    configuration: ApplicationConfiguration
    source: Source
    wanted: Sequence[Wanted]
    read_file: ReadFile
    exact: bool

    def write(self) -> GitFile:
        """Return the file with everything that is wanted.

        Raises:
            WriteBackError: there is no target, or the file cannot be edited.
        """
        target = self.configuration.write_back.target
        if target is None:
            raise WriteBackError("There is no file to write to: set write-back-target.")
        path, before = self._find(target)
        try:
            return GitFile(path, before, self._edited(target, before))
        except OverrideError as error:
            raise WriteBackError(f"{path}: {error}.") from error

    def _find(self, target: Target) -> tuple[str, bytes | None]:
        if target.kind != targets.KUSTOMIZATION:
            return target.path, self.read_file(target.path)
        directory = "" if target.path in ("", ".") else f"{target.path}/"
        for name in kustomization.FILE_NAMES:
            content = self.read_file(directory + name)
            if content is not None:
                return directory + name, content
        names = ", ".join(kustomization.FILE_NAMES)
        raise WriteBackError(f"There is no kustomization in {target.path}: add one of {names}.")

    def _edited(self, target: Target, before: bytes | None) -> Edited:
        if target.kind == targets.KUSTOMIZATION:
            return self._kustomization(before or b"")
        if target.kind == targets.HELM_VALUES:
            return self._values(before)
        kind = self.configuration.source_type
        if kind == sources.KUSTOMIZE:
            return self._images(before)
        return self._variables(before) if kind == sources.PLUGIN else self._parameters(before)

    def _parameters(self, before: bytes | None) -> Edited:
        if self.exact:
            if self.source.is_hydrated and not self.source.has_block(sources.HELM):
                return Edited(b"")  # upstream changed a copy that it then lost
            entries = self._managed_parameters() + self._entries(self.wanted)
            return argocd_source.write_helm(before, entries, exact=True)
        present = argocd_source.helm_values(before)
        wanted = [one for one in self.wanted if self._is_due(one, dict(one.helm()), present)]
        return argocd_source.write_helm(before, self._entries(wanted))

    def _entries(self, wanted: Sequence[Wanted]) -> list[Entry]:
        return [Entry(name, value, one.key) for one in wanted for name, value in one.helm()]

    def _managed_parameters(self) -> list[Entry]:
        """Return the Application's own parameters that some configured image manages."""
        owners = {
            name: image.key for image in self.configuration.images for name in _helm_names(image)
        }
        present = self.source.named(sources.HELM)
        ours = {name for one in self.wanted for name, _ in one.helm()}
        return [
            Entry(name, value, owners[name])
            for name, value in present.items()
            if name in owners and name not in ours
        ]

    @staticmethod
    def _is_due(one: Wanted, names: dict[str, str], present: dict[str, str]) -> bool:
        """Tell whether to write an image: one that does not move only where the file has nothing of it."""
        return one.is_changed or not any(name in present for name in names)

    def _variables(self, before: bytes | None) -> Edited:
        present = {} if self.exact else argocd_source.plugin_values(before)
        wanted = [one for one in self.wanted if self._is_due(one, dict(one.plugin()), present)]
        entries = [Entry(name, value, one.key) for one in wanted for name, value in one.plugin()]
        return argocd_source.write_plugin(before, entries, exact=self.exact)

    def _images(self, before: bytes | None) -> Edited:
        if self.exact:
            return kustomize_source.write(before, self._all_images(), exact=True)
        present = kustomize_source.strings(before)
        wanted = [
            one.kustomize()
            for one in self.wanted
            if one.is_changed or not image_strings.find_same(present, one.kustomize(), exact=False)
        ]
        return kustomize_source.write(before, wanted)

    def _all_images(self) -> list[ImageString]:
        """Return the Application's image strings with ours merged in, as upstream keeps them."""
        strings, owners = self.source.image_strings(), {}
        for one in self.wanted:
            new = one.kustomize()
            owners[new.text] = one.key
            strings = image_strings.merged(strings, new)
        return [ImageString(text, owners.get(text, "")) for text in strings]

    def _kustomization(self, before: bytes) -> Edited:
        if self.exact:
            elements = [kustomization.element(new) for new in self._all_images()]
            return kustomization.write(before, elements, exact=True)
        present = kustomization.names(before)
        elements = [
            kustomization.element(one.kustomize())
            for one in self.wanted
            if one.is_changed or one.kustomize().name not in present
        ]
        return kustomization.write(before, elements)

    def _values(self, before: bytes | None) -> Edited:
        wanted = [self._kept(one) for one in self.wanted if self._is_value_due(one, before)]
        values = [value for one in wanted for value in _values_of(one)]
        return helm_values.write(before, values, exact=self.exact)

    def _kept(self, one: Wanted) -> Wanted:
        """Return what upstream still knows: of a dry source without Helm block, what runs."""
        is_lost = self.source.is_hydrated and not self.source.has_block(sources.HELM)
        running = live(one.image, exact=True)
        if not (self.exact and is_lost and running):
            return one
        reference = replace(one.reference, tag=running.tag, digest=running.digest)
        return replace(one, reference=reference)

    def _is_value_due(self, one: Wanted, before: bytes | None) -> bool:
        if one.is_changed or self.exact:
            return True
        return all(helm_values.read(before, path) is None for path, _ in one.helm())


def _values_of(one: Wanted) -> list[Value]:
    """Return the values in upstream's order: the tag before the name."""
    tag = effective_helm(one.image.helm).tag
    values = [Value(path, text, one.key, is_name=path != tag) for path, text in one.helm()]
    return sorted(values, key=lambda value: value.is_name)


def _helm_names(image: ImageConfiguration) -> list[str]:
    target = effective_helm(image.helm)
    return [name for name in (target.name, target.tag, target.spec) if name]
