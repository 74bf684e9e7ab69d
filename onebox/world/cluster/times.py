"""Times as Kubernetes writes them: RFC 3339, whole seconds, UTC."""

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """Return a moment (seconds since 1970) as text."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> float:
    """Return the moment an RFC 3339 text means."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
