"""Structured logs: one JSON object a line, constant messages plus fields, secrets cut out."""

import re
from typing import Any

from pythonjsonlogger.json import JsonFormatter as BaseJsonFormatter

# A last net under code that must not log credentials in the first place.
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{8,}")


def redact(text: str) -> str:
    """Remove user info from URLs and values of Authorization headers."""
    return _AUTHORIZATION.sub(r"\1 [redacted]", _URL_CREDENTIALS.sub("[redacted]@", text))


class JsonFormatter(BaseJsonFormatter):
    """Time, level, logger, message and the fields given in `extra`."""

    def __init__(self) -> None:
        super().__init__(
            "%(levelname)s %(name)s %(message)s",
            timestamp=True,
            rename_fields={"levelname": "level", "name": "logger"},
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Redact every text value."""
        return {
            key: redact(value) if isinstance(value, str) else value
            for key, value in super().process_log_record(log_data).items()
        }

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802  logging's own signature
        """Redact tracebacks, too: exception texts may quote a URL."""
        return redact(str(super().formatException(ei)))
