"""Reads the annotations of an Application into what was written (specification 1.1)."""

from collections.abc import Mapping

from updater.configuration import image_list, unknown_annotations, untrusted
from updater.configuration.annotation_keys import PREFIX
from updater.configuration.findings import Findings
from updater.configuration.manifest import Manifest
from updater.configuration.written import (
    ListedImage,
    Setting,
    TargetSettings,
    UpdateSettings,
    WriteBackSettings,
    WrittenConfiguration,
)
from updater.images import Entry


def written(manifest: Manifest, findings: Findings, *, exact: bool) -> WrittenConfiguration:
    """Return what the annotations say; unreadable entries of the list are only findings."""
    annotations = _Annotations(manifest.annotations, findings, exact=exact)
    listed = annotations.find("image-list")
    if listed is None:
        unknown_annotations.report_unlisted(manifest.annotations, findings)
        return WrittenConfiguration(is_listed=False)
    entries = image_list.entries(listed, findings, exact=exact)
    aliases = [entry.alias for entry in entries]
    unknown_annotations.report(manifest.annotations, aliases, findings)
    return WrittenConfiguration(
        is_listed=not image_list.is_empty(listed, findings),
        images=tuple(annotations.image(listed.key, entry) for entry in entries),
        write_back=annotations.write_back(),
    )


class _Annotations:
    """The annotations under our prefix, by the precedence rules of the specification."""

    def __init__(self, values: Mapping[str, object], findings: Findings, *, exact: bool) -> None:
        self._values = values
        self._findings = findings
        self._exact = exact

    def find(self, *keys: str) -> Setting | None:
        """Return the first of the keys that exists, even with an empty value."""
        for key in (f"{PREFIX}{key}" for key in keys):
            value = self._values.get(key)
            if isinstance(value, str):
                return Setting(key, value)
            if value is not None:
                return Setting(
                    key, untrusted.shown(value), fault="Annotation values are text: quote it."
                )
        return None

    def filled(self, *keys: str) -> Setting | None:
        """Return the first of the keys that has a value: an empty one counts as absent."""
        found = map(self.find, keys)
        return next((setting for setting in found if setting and setting.text.strip()), None)

    def write_back(self) -> WriteBackSettings:
        """Return how changes are to be written."""
        return WriteBackSettings(
            method=self.filled("write-back-method"),
            repository=self.filled("git-repository"),
            branch=self.filled("git-branch"),
            target=self.filled("write-back-target"),
        )

    def image(self, list_key: str, entry: Entry) -> ListedImage:
        """Return one entry of the image list with the settings that hold for it."""
        setting = Setting(list_key, image_list.literal(entry))
        return ListedImage(setting, entry, self._update(entry), self._targets(entry))

    def _update(self, entry: Entry) -> UpdateSettings:
        strategy = self._keys(entry, "update-strategy", everywhere=True)
        self._warn_about_empty(strategy, entry)
        return UpdateSettings(
            strategy=self.filled(*strategy),
            # An empty text is no boolean, and replaces: both as upstream has it.
            force_update=self.find(*self._keys(entry, "force-update", everywhere=True)),
            allow_tags=self._allow_tags(entry),
            ignore_tags=self._ignore_tags(entry),
            pull_secret=self.filled(*self._keys(entry, "pull-secret", everywhere=True)),
            platforms=self._platforms(entry),
        )

    def _targets(self, entry: Entry) -> TargetSettings:
        return TargetSettings(
            helm_name=self.filled(*self._keys(entry, "helm.image-name")),
            helm_tag=self.filled(*self._keys(entry, "helm.image-tag")),
            helm_spec=self.filled(*self._keys(entry, "helm.image-spec")),
            kustomize_name=self.filled(*self._keys(entry, "kustomize.image-name")),
        )

    def _keys(self, entry: Entry, name: str, *, everywhere: bool = False) -> list[str]:
        """Return the keys in order of precedence; an alias with a slash has two spellings."""
        spellings = {entry.alias: None}
        if not self._exact:
            spellings[entry.alias.replace("/", "_")] = None
        own = [f"{alias}.{name}" for alias in spellings if alias]
        return [*own, name] if everywhere else own

    def _allow_tags(self, entry: Entry) -> Setting | None:
        found = self.filled(*self._keys(entry, "allow-tags", everywhere=True))
        deprecated = self.filled(*self._keys(entry, "tag-match"))
        if deprecated is None:
            return found
        is_used = found is None and not self._exact
        effect = "It is still read" if is_used else "It has no effect"
        self._findings.warn(
            deprecated,
            code="DEPRECATED_KEY",
            message=f"tag-match is the old name of allow-tags. {effect}: rename it.",
            alias=entry.alias,
        )
        return deprecated if is_used else found

    def _ignore_tags(self, entry: Entry) -> Setting | None:
        found = self.find(*self._keys(entry, "ignore-tags", everywhere=True))
        return _listed(found, [part.strip() for part in found.text.split(",")]) if found else None

    def _platforms(self, entry: Entry) -> Setting | None:
        found = self.filled(*self._keys(entry, "platforms"))
        if found is None:
            return None
        parts = [part.strip() for part in found.text.split(",")]
        return _listed(found, [part for part in parts if part])

    def _warn_about_empty(self, keys: list[str], entry: Entry) -> None:
        # An empty strategy is "not set", but nobody means to write that (case A23).
        present = (self.find(key) for key in keys)
        for setting in (found for found in present if found and not found.text.strip()):
            self._findings.warn(
                setting,
                code="BAD_STRATEGY",
                message="An empty strategy counts as not set: remove it or name one.",
                alias=entry.alias or entry.reference.repository,
            )


def _listed(setting: Setting, parts: list[str]) -> Setting:
    return Setting(setting.key, setting.text, tuple(parts), setting.fault)
