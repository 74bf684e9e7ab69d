"""Signature verification is demanded by ImageUpdater resources and not done here, so it is refused aloud.

Going on without it would weaken what the resource's owner asked for.
"""

from updater.configuration import untrusted
from updater.configuration.findings import Findings
from updater.configuration.written import Setting


def check(place: str, *levels: object, findings: Findings, alias: str | None = None) -> None:
    """Refuse the image (without alias: the Application) if the most specific level demands it."""
    blocks = [untrusted.find(level, "imagesVerification") for level in levels]
    present = [block for block in blocks if block is not None]
    if not present or untrusted.find(present[-1], "enabled") is False:
        return
    findings.refuse(
        Setting(f"{place}.imagesVerification", "enabled"),
        code="VERIFICATION_UNSUPPORTED",
        message="Image signatures are not verified here: set enabled to false to go on without.",
        alias=alias,
    )
