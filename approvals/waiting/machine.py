"""Gates from what the rows say about registry, Git, cluster and target: for people, a worker looks itself."""

from datetime import datetime, timedelta

from approvals.models import Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.policy import Gate
from approvals.policy.gating import BLOCK, PASS, UNKNOWN, WAIT
from updater.models import Application, ImageRepository

OLD_AFTER = timedelta(minutes=10)  # a fact older than this proves nothing
_WRITER = "whoever looks after the Application's repository"
_OWNER = "whoever looks after the Application"


def gates(promotion: Promotion, *, in_flight: Promotion | None, now: datetime) -> tuple[Gate, ...]:
    """Return the gates of one promotion, for which nothing is asked from the database."""
    return (
        _registry(promotion.tracked_image.image_repository, now=now),
        _base(promotion),
        _configuration(promotion),
        _target(promotion, in_flight, now=now),
        _application(promotion.application, now=now),
    )


def _registry(repository: ImageRepository | None, *, now: datetime) -> Gate:
    def gate(verdict: str, text: str, brief: str = "", at: datetime | None = None) -> Gate:
        who = "whoever looks after the registry"
        return Gate("registry", "Registry", verdict, text, at=at, who=who, brief=brief)

    if repository is None or repository.scanned_at is None:
        return gate(UNKNOWN, "It was never scanned.", "Never scanned")
    if repository.error_code:
        failing = repository.failing_since
        return gate(UNKNOWN, repository.error_message, "Registry silent", failing)
    if now - repository.scanned_at > OLD_AFTER:
        return gate(UNKNOWN, "Not scanned lately.", "Scan is old", repository.scanned_at)
    return gate(PASS, "It answers.", at=repository.scanned_at)


def _base(promotion: Promotion) -> Gate:
    plan = promotion.plan
    gate = Gate("write_back", "Write-back", PASS, "The old values still stand.", who=_WRITER)
    verdict, text, brief = gate.verdict, gate.text, ""
    if error := plan.get("error"):
        verdict, text, brief = BLOCK, str(error), "Cannot be written"
    elif stale := plan.get("stale"):
        verdict, text, brief = UNKNOWN, str(stale), "Git not seen"
    return Gate(
        gate.key, gate.name, verdict, text, at=_moment(plan.get("at")), who=_WRITER, brief=brief
    )


def _configuration(promotion: Promotion) -> Gate:
    alias, seen = promotion.tracked_image.alias, promotion.application.seen_at
    for problem in promotion.application.problems:
        if problem.get("fatal") and problem.get("alias") in (None, alias):
            text = f"A setting is wrong: {problem.get('key', '')}."
            return Gate("settings", "Settings", BLOCK, text, at=seen, who=_OWNER)
    return Gate("settings", "Settings", PASS, "No problem for this image.", at=seen, who=_OWNER)


def _target(promotion: Promotion, in_flight: Promotion | None, *, now: datetime) -> Gate:
    if in_flight is None or in_flight.pk == promotion.pk:
        return Gate("target", "Target", PASS, "Nothing else is being written.", at=now)
    return Gate(
        "target",
        "Target",
        BLOCK if in_flight.status == Status.UNKNOWN else WAIT,
        f"{in_flight.to_tag} {in_flight.is_what}.",
        at=in_flight.status_at,
        brief="Target busy",
    )


def _application(application: Application, *, now: datetime) -> Gate:
    def gate(verdict: str, text: str, brief: str = "", at: datetime | None = None) -> Gate:
        seen = at or application.seen_at
        return Gate("application", "Application", verdict, text, at=seen, who=_OWNER, brief=brief)

    if application.vanished_at is not None:
        return gate(BLOCK, "It is gone from the cluster.", "Gone", application.vanished_at)
    if now - application.seen_at > OLD_AFTER:
        return gate(UNKNOWN, "Not seen lately.", "Not seen lately")
    text = ", ".join(filter(None, (application.health_status, application.sync_status)))
    if application.health_status == "Healthy":
        return gate(PASS, f"{text}.")
    verdict = WAIT if application.health_status else UNKNOWN
    return gate(verdict, f"{text or 'Its health is not reported'}.", application.health_status)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
