"""The configuration blob of an image: platform, creation time and labels, made harmless."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from updater.integrations.registry.decoding import decode_object
from updater.integrations.registry.manifests import platform_text

MAX_LABELS = 100
MAX_LABEL_NAME = 256
MAX_LABEL = 2048  # characters of one value that are kept
# RFC 3339; Python reads six digits of a second, registries write nine.
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image says of itself."""

    platform: str
    created: datetime | None
    labels: Mapping[str, str]


def parse_config(body: bytes, *, what: str) -> ImageConfig:
    """Return what an image's configuration says; an unusable time or label is left out.

    Raises:
        BadAnswerError: the body is not a JSON object.
    """
    document = decode_object(body, what=what)
    section = document.get("config")
    labels = section.get("Labels") if isinstance(section, dict) else None
    return ImageConfig(
        platform=platform_text(document),
        created=parse_time(document.get("created")),
        labels=_labels(labels if isinstance(labels, dict) else {}),
    )


def parse_time(text: object) -> datetime | None:
    """Return the time in UTC, or None: no time, no zone, or outside what a database holds."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone in "Zz" else zone
    try:
        return datetime.fromisoformat(
            f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone}"
        ).astimezone(UTC)
    except (ValueError, OverflowError):  # 30 February; year 0 after the shift to UTC
        return None


def _labels(labels: Mapping[str, object]) -> dict[str, str]:
    kept = {
        clean_text(name, MAX_LABEL_NAME): clean_text(value, MAX_LABEL)
        for name, value in labels.items()
        if isinstance(value, str) and len(name) <= MAX_LABEL_NAME
    }
    return dict(list(kept.items())[:MAX_LABELS])


def clean_text(text: str, length: int) -> str:
    """Return the text without control, bidirectional and unassigned characters, cut to `length`."""
    # Twice the length is enough to fill it and keeps a megabyte of controls cheap
    kept = (letter for letter in text[: 2 * length] if unicodedata.category(letter)[0] != "C")
    return "".join(kept)[:length]
