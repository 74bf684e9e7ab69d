"""Image references as the OCI distribution and Docker grammars have them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageReference:
    """Registry, repository, and tag and/or digest; `registry` is "" when the text names none."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None
