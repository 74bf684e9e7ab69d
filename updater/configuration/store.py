"""Configured images and write-backs as JSON and back, for the rows that remember them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from updater.configuration.model import (
    HelmTarget,
    ImageConfiguration,
    KustomizeTarget,
    PluginTarget,
    Target,
    WriteBack,
)
from updater.errors import PermanentError
from updater.images import ImageReference
from updater.selection import Strategy


class StoredConfigurationError(PermanentError):
    """A stored document is not what this module wrote."""

    code = "stored_configuration"


def to_json(image: ImageConfiguration) -> dict[str, Any]:
    """Return the image as plain JSON values."""
    return _plain(asdict(image))


def from_json(document: Mapping[str, Any]) -> ImageConfiguration:
    """Return the image of a stored document.

    Raises:
        StoredConfigurationError: the document has another shape.
    """
    try:
        return ImageConfiguration(
            **{
                **document,
                "reference": ImageReference(**document["reference"]),
                "strategy": Strategy(document["strategy"]),
                "helm": HelmTarget(**document["helm"]),
                "kustomize": KustomizeTarget(**document["kustomize"]),
                "plugin": PluginTarget(**document["plugin"]),
                **{name: tuple(document[name]) for name in ("ignore_tags", "platforms", "live")},
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoredConfigurationError(
            f"A stored image configuration is unreadable: {error}"
        ) from error


def write_back_to_json(write_back: WriteBack) -> dict[str, Any]:
    """Return the write-back as plain JSON values."""
    return _plain(asdict(write_back))


def write_back_from_json(document: Mapping[str, Any]) -> WriteBack:
    """Return the write-back of a stored document.

    Raises:
        StoredConfigurationError: the document has another shape.
    """
    try:
        target = document["target"]
        labels = tuple(document["pull_request_labels"])
        return WriteBack(
            **{
                **document,
                "target": None if target is None else Target(**target),
                "pull_request_labels": labels,
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoredConfigurationError(f"A stored write-back is unreadable: {error}") from error


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()
    }
