"""Facts that a release waits for, each with its age: what the rows say now about one promotion."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from updater.models import Application, ImageRepository, ImageTag

WORDS = {"pass": "Pass", "wait": "Waiting", "block": "Blocked", "unknown": "Unknown"}
OLD_AFTER = timedelta(minutes=10)  # a fact older than this proves nothing


@dataclass(frozen=True, slots=True)
class Gate:
    """One fact: its verdict, one phrase, and when it was seen."""

    name: str
    verdict: str  # "pass", "wait", "block", "unknown"
    text: str
    at: datetime | None = None
    brief: str = ""

    @property
    def word(self) -> str:
        """The verdict as a word."""
        return WORDS[self.verdict]

    @property
    def short(self) -> str:
        """What a chip has room for."""
        return self.brief or self.name


def of_promotion(
    promotion: Promotion, *, tag: ImageTag | None, in_flight: Promotion | None, now: datetime
) -> tuple[Gate, ...]:
    """Return the gates in the order in which people ask for them."""
    repository = promotion.tracked_image.image_repository
    return (
        _digest(promotion, tag, now=now),
        _registry(repository, now=now),
        _base(promotion),
        _configuration(promotion),
        _target(promotion, in_flight),
        _application(promotion.application, now=now),
    )


def standing_out(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """Return the gates that do not pass; the others are only counted."""
    return tuple(gate for gate in gates if gate.verdict != "pass")


def _digest(promotion: Promotion, tag: ImageTag | None, *, now: datetime) -> Gate:
    if tag is None or not tag.digest:
        return Gate("Digest", "unknown", "the registry was not asked yet", brief="Digest not seen")
    seen = tag.digest_seen_at
    if tag.removed_at is not None:
        return Gate(
            "Digest", "block", f"{tag.name} is gone from the registry", tag.removed_at, "Tag gone"
        )
    if tag.digest != promotion.to_digest:
        return Gate("Digest", "block", f"tag moved to {tag.digest[:15]}", seen, "Tag moved")
    if seen is None or now - seen > OLD_AFTER:
        return Gate(
            "Digest", "unknown", "same as sealed when last seen", seen, "Digest seen long ago"
        )
    return Gate("Digest", "pass", "same as sealed", seen)


def _registry(repository: ImageRepository | None, *, now: datetime) -> Gate:
    if repository is None or repository.scanned_at is None:
        return Gate("Registry", "unknown", "never scanned", brief="Never scanned")
    if repository.error_code:
        return Gate(
            "Registry",
            "unknown",
            repository.error_message,
            repository.failing_since,
            "Registry silent",
        )
    if now - repository.scanned_at > OLD_AFTER:
        return Gate(
            "Registry", "unknown", "not scanned lately", repository.scanned_at, "Scan is old"
        )
    return Gate("Registry", "pass", "answers", repository.scanned_at)


def _base(promotion: Promotion) -> Gate:
    plan = promotion.plan
    at = _moment(plan.get("at"))
    if error := plan.get("error"):
        return Gate("Write-back", "block", str(error), at, "Cannot be written")
    if stale := plan.get("stale"):
        return Gate("Write-back", "unknown", str(stale), at, "Git not seen")
    return Gate("Write-back", "pass", "old values still stand", at)


def _configuration(promotion: Promotion) -> Gate:
    alias, seen = promotion.tracked_image.alias, promotion.application.seen_at
    for problem in promotion.application.problems:
        if problem.get("fatal") and problem.get("alias") in (None, alias):
            return Gate("Settings", "block", str(problem.get("key", "")), seen)
    return Gate("Settings", "pass", "no problem for this image", seen)


def _target(promotion: Promotion, in_flight: Promotion | None) -> Gate:
    if in_flight is None or in_flight.pk == promotion.pk:
        return Gate("Target", "pass", "nothing else is being written")
    verdict = "block" if in_flight.status == Status.UNKNOWN else "wait"
    word = in_flight.get_status_display().lower()
    return Gate(
        "Target", verdict, f"{in_flight.to_tag} is {word}", in_flight.status_at, "Target busy"
    )


def _application(application: Application, *, now: datetime) -> Gate:
    seen = application.seen_at
    if application.vanished_at is not None:
        return Gate(
            "Application", "block", "is gone from the cluster", application.vanished_at, "Gone"
        )
    if now - seen > OLD_AFTER:
        return Gate("Application", "unknown", "not seen lately", seen, "Not seen lately")
    text = ", ".join(filter(None, (application.health_status, application.sync_status)))
    if application.health_status == "Healthy":
        return Gate("Application", "pass", text, seen)
    verdict = "wait" if application.health_status else "unknown"
    return Gate(
        "Application", verdict, text or "health not reported", seen, application.health_status
    )


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
