"""`explain application`: how the configuration of one Application is understood, with effective values."""

import argparse
from collections.abc import Mapping
from typing import Any

from updater.configuration import fitting, reading, sources
from updater.configuration.model import (
    ApplicationConfiguration,
    HelmTarget,
    ImageConfiguration,
    WriteBack,
)
from updater.explain import documents


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the subcommand."""
    parser.add_argument("file", help="Application manifest, YAML or JSON; - for standard input")
    parser.add_argument(
        "--image-updater",
        action="append",
        default=[],
        metavar="FILE",
        help="ImageUpdater resources that exist beside it; may be given several times",
    )
    parser.add_argument(
        "--argocd-namespace",
        default="argocd",
        help="namespace of Argo CD, where status.controllerNamespace does not tell",
    )
    parser.add_argument(
        "--exact", action="store_true", help="follow Argo CD Image Updater v1.3 to the letter"
    )
    parser.add_argument(
        "--allow-http", action="store_true", help="accept git repositories over plain http"
    )


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return what is understood, and 1 if a problem makes an image or the Application unusable.

    Raises:
        DocumentError: a file cannot be read, or holds something else.
    """
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
    is_broken = any(problem.fatal for problem in configuration.problems)
    return explained(configuration), int(is_broken)


def explained(configuration: ApplicationConfiguration) -> dict[str, Any]:
    """Return the configuration as the document that the command prints."""
    return {
        "application": "/".join(filter(None, (configuration.namespace, configuration.name))),
        "managed": configuration.managed,
        "problems": [
            {"key": problem.key, "value": problem.value, "message": problem.message}
            for problem in configuration.problems
        ],
        "write_back": _write_back(configuration.write_back),
        "images": [
            _image(image, is_helm=configuration.source_type == sources.HELM)
            for image in configuration.images
        ],
    }


def _write_back(write_back: WriteBack) -> dict[str, Any]:
    target = write_back.target
    return {
        "method": write_back.method,
        "credentials": write_back.credentials,
        "repository": write_back.repository,
        "base_branch": write_back.base_branch,
        "write_branch": write_back.write_branch,
        "target": {"kind": target.kind, "path": target.path} if target else None,
    }


def _image(image: ImageConfiguration, *, is_helm: bool) -> dict[str, Any]:
    return {
        "alias": image.alias,
        "registry": image.reference.registry,
        "name": image.reference.repository,
        "constraint": image.constraint,
        "strategy": image.strategy.value,
        "allow_tags": image.allow_tags,
        "ignore_tags": list(image.ignore_tags),
        "platforms": list(image.platforms),
        "pull_secret": image.pull_secret,
        "force_update": image.force_update,
        "helm": _helm(image.helm, is_helm=is_helm),
        "kustomize": {"name": image.kustomize.name},
        "plugin": {
            "name": image.plugin.name,
            "tag": image.plugin.tag,
            "spec": image.plugin.spec,
        },
        "live": image.live[0] if image.live else None,
    }


def _helm(target: HelmTarget, *, is_helm: bool) -> dict[str, str | None]:
    effective = fitting.effective_helm(target) if is_helm else target
    return {"name": effective.name, "tag": effective.tag, "spec": effective.spec}
