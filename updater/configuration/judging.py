"""Turns what was written for one Application into its configuration, problems and all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from updater.configuration import (
    annotations,
    fitting,
    image_updater,
    project_sources,
    pull_requests,
    untrusted,
    verification,
)
from updater.configuration.annotation_keys import IMAGE_LIST, PIN
from updater.configuration.findings import Findings, SettingError
from updater.configuration.image_settings import ImageJudge
from updater.configuration.manifest import Manifest
from updater.configuration.matching import Reference
from updater.configuration.model import ApplicationConfiguration, ImageConfiguration
from updater.configuration.project_sources import SourceRepositories
from updater.configuration.running import RunningImages
from updater.configuration.write_back import WriteBackJudge
from updater.configuration.written import ListedImage, Setting, WrittenConfiguration

_PINS = ("tag", "digest")
_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class PinError(SettingError):
    """Neither tag nor digest."""

    code = "BAD_PIN"


@dataclass(frozen=True, slots=True)
class Rules:
    """How strictly to follow upstream, and what is fine here: git over plain http, which repositories."""

    exact: bool = False
    allow_http: bool = False
    source_repositories: SourceRepositories = None  # of each project; None: not asked


def judge(
    application: Manifest, reference: Reference | None, rules: Rules
) -> ApplicationConfiguration:
    """Return the configuration by one application reference, or by the annotations alone."""
    findings = Findings()
    written = _written(application, reference, findings, exact=rules.exact)
    if not written.is_listed:
        return result(application, findings, managed=False)
    _check_names(application, findings)
    images = _images(application, written.images, findings, exact=rules.exact)
    by_pull_request = pull_requests.annotated(
        application, written.write_back.pull_request, findings
    )
    write_back = replace(written.write_back, pull_request=by_pull_request)
    judge = WriteBackJudge(application, write_back, findings, exact=rules.exact)
    judged = judge.judged(images, allow_http=rules.allow_http)
    if repository := judged.write_back.repository:
        setting = write_back.repository or Setting("spec.source.repoURL", repository)
        project_sources.check(application.project, setting, rules.source_repositories, findings)
    if not rules.exact:
        key = f"{reference.place}.images" if reference else IMAGE_LIST
        fitting.check(images, source_type=judged.source_type, key=key, findings=findings)
    pin = _pin(application, findings)
    return replace(
        result(application, findings, managed=True),
        source_type=judged.source_type,
        images=images,
        write_back=judged.write_back,
        pin=pin,
    )


def result(application: Manifest, findings: Findings, *, managed: bool) -> ApplicationConfiguration:
    """Return a configuration that says no more than what was found."""
    return ApplicationConfiguration(
        application.namespace, application.name, managed, problems=findings.problems
    )


def _written(
    application: Manifest, reference: Reference | None, findings: Findings, *, exact: bool
) -> WrittenConfiguration:
    if reference is None:
        return annotations.written(application, findings, exact=exact)
    if reference.uses_annotations:
        verification.check(reference.place, reference.document, findings=findings)
        return annotations.written(application, findings, exact=exact)
    if IMAGE_LIST in application.annotations:
        findings.warn(
            Setting(IMAGE_LIST, untrusted.shown(application.annotations[IMAGE_LIST])),
            code="IGNORED",
            message=f"{reference.place} holds in place of the annotations: "
            "set useAnnotations there to have them read.",
        )
    return image_updater.written(reference, findings, exact=exact)


def _check_names(application: Manifest, findings: Findings) -> None:
    names = [("metadata.name", application.name), ("metadata.namespace", application.namespace)]
    for key, name in names:
        is_optional = key == "metadata.namespace" and not name
        if not is_optional and not _OBJECT_NAME.fullmatch(name):
            message = "This is not the name of a Kubernetes object."
            findings.refuse(Setting(key, name), code="BAD_NAME", message=message)


def _images(
    application: Manifest, listed: Sequence[ListedImage], findings: Findings, *, exact: bool
) -> tuple[ImageConfiguration, ...]:
    namespace = application.secrets_namespace
    judge = ImageJudge(findings, secrets_namespace=namespace, exact=exact)
    running = RunningImages(application.live_images, exact=exact)
    configured = [judge.configured(image) for image in listed]
    return tuple(replace(image, live=running.of(image)) for image in configured)


def _pin(application: Manifest, findings: Findings) -> str:
    value = application.annotations.get(PIN)
    if value is None:
        return _PINS[0]
    setting = Setting(PIN, untrusted.shown(value))
    return findings.accept(setting, _parse_pin, otherwise=_PINS[0])


def _parse_pin(setting: Setting) -> str:
    if setting.text not in _PINS:
        raise PinError("Write tag or digest.")
    return setting.text
