"""Judges what was written for one image: each bad value disables this image and no other."""

from updater import images
from updater.configuration import credentials, values
from updater.configuration.findings import Findings, SettingError
from updater.configuration.model import (
    HelmTarget,
    ImageConfiguration,
    KustomizeTarget,
    PluginTarget,
)
from updater.configuration.written import ListedImage, Setting
from updater.selection import Strategy, parse_strategy

_MAX_LIST_LENGTH = 4096


class KustomizeNameError(SettingError):
    """Not an image name a kustomization could hold."""

    code = "BAD_IMAGE"


class ListTooLongError(SettingError):
    """A comma separated list nobody could mean."""

    code = "TOO_LONG"


class ImageJudge:
    """Turns listed images into configured ones; `exact` keeps what upstream only warns of."""

    def __init__(self, findings: Findings, *, secrets_namespace: str, exact: bool) -> None:
        self._findings = findings
        self._namespace = secrets_namespace
        self._exact = exact

    def configured(self, image: ListedImage) -> ImageConfiguration:
        """Return the image; where a value is bad, a finding under its key says it is unusable."""
        return ImageConfiguration(
            alias=image.entry.alias,
            reference=image.entry.reference,
            constraint=image.entry.constraint,
            strategy=self._strategy(image),
            allow_tags=self._allow_tags(image),
            ignore_tags=self._ignore_tags(image),
            platforms=self._platforms(image),
            pull_secret=self._pull_secret(image),
            force_update=self._force_update(image),
            helm=self._helm(image),
            kustomize=self._kustomize(image),
            plugin=self._plugin(image),
        )

    def _strategy(self, image: ListedImage) -> Strategy:
        return self._findings.accept(
            image.update.strategy,
            lambda setting: parse_strategy(setting.text),
            otherwise=Strategy.SEMVER,
            alias=image.key,
            lenient=self._exact,
        )

    def _allow_tags(self, image: ListedImage) -> str | None:
        setting = image.update.allow_tags
        # A bad expression is kept: it matches nothing, where none would match everything.
        return self._findings.accept(
            setting,
            lambda found: values.parse_allow_tags(found.text),
            otherwise=setting.text if setting else None,
            alias=image.key,
            lenient=self._exact,
        )

    def _ignore_tags(self, image: ListedImage) -> tuple[str, ...]:
        setting = image.update.ignore_tags
        nothing: tuple[str, ...] = ()
        found = self._findings.accept(setting, _bounded, otherwise=nothing, alias=image.key)
        for fault in map(values.find_glob_fault, found):
            if setting and fault:
                self._findings.warn(setting, code="BAD_GLOB", message=fault, alias=image.key)
        return found

    def _platforms(self, image: ListedImage) -> tuple[str, ...]:
        setting = image.update.platforms
        return self._findings.accept(
            setting,
            lambda found: values.parse_platforms(_bounded(found)),
            otherwise=setting.items if setting else (),
            alias=image.key,
            lenient=self._exact,
        )

    def _pull_secret(self, image: ListedImage) -> str | None:
        return self._findings.accept(
            image.update.pull_secret, self._own_secret, otherwise=None, alias=image.key
        )

    def _own_secret(self, setting: Setting) -> str | None:
        text = setting.text.strip()
        if text:
            credentials.parse_own(text, namespace=self._namespace)
        return text or None

    def _force_update(self, image: ListedImage) -> bool:
        # Upstream gives up on the whole Application for a word that is no boolean.
        return self._findings.accept(
            image.update.force_update,
            lambda setting: values.parse_boolean(setting.text),
            otherwise=False,
            alias=None if self._exact else image.key,
        )

    def _helm(self, image: ListedImage) -> HelmTarget:
        targets = image.targets
        other = targets.of_kind("kustomize")
        if targets.of_kind("helm") and other:
            self._findings.refuse(
                other[0],
                code="BAD_TARGET",
                message="An image is written to helm or to kustomize keys, not both: remove one.",
                alias=None if self._exact else image.key,
            )
        settings = (targets.helm_name, targets.helm_tag, targets.helm_spec)
        return HelmTarget(*(self._parameter(setting, image.key) for setting in settings))

    def _kustomize(self, image: ListedImage) -> KustomizeTarget:
        setting = image.targets.kustomize_name
        name = self._findings.accept(setting, _kustomize_name, otherwise=None, alias=image.key)
        return KustomizeTarget(name)

    def _plugin(self, image: ListedImage) -> PluginTarget:
        targets = image.targets
        settings = (targets.plugin_name, targets.plugin_tag, targets.plugin_spec)
        return PluginTarget(*(self._variable(setting, image.key) for setting in settings))

    def _parameter(self, setting: Setting | None, key: str) -> str | None:
        return self._findings.accept(
            setting, lambda found: values.parse_parameter(found.text), otherwise=None, alias=key
        )

    def _variable(self, setting: Setting | None, key: str) -> str | None:
        return self._findings.accept(
            setting, lambda found: values.parse_variable(found.text), otherwise=None, alias=key
        )


def _bounded(setting: Setting) -> tuple[str, ...]:
    if len(setting.text) > _MAX_LIST_LENGTH:
        raise ListTooLongError(f"A list has at most {_MAX_LIST_LENGTH} characters.")
    return setting.items


def _kustomize_name(setting: Setting) -> str:
    name = setting.text.strip()
    try:
        images.parse(name)
    except images.ImageReferenceError as error:
        raise KustomizeNameError(f"{error} Write the name as the manifests have it.") from error
    return name
