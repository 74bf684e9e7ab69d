"""How much of a registry's answer is read, at most; measured reasons stand beside each number."""

from dataclasses import dataclass

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on bytes, counts and time of one call."""

    page_bytes: int = 8 * MEBIBYTE
    manifest_bytes: int = 4 * MEBIBYTE
    config_bytes: int = MEBIBYTE
    token_bytes: int = 64 * KIBIBYTE
    header_bytes: int = 64 * KIBIBYTE  # the HTTP library alone would take 90 KB
    pages: int = 100
    tags: int = 100_000
    # Values in one JSON text: 8 MiB of `[],[],…` would become 200 MB of objects
    json_values: int = 150_000
    platforms: int = 32  # images read of one index
    redirects: int = 3  # of a blob, to the registry's blob hosts
    deadline_seconds: float = 20  # wall clock of one request, body included
