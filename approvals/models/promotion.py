"""The proposal to let one image of one Application move, and its life."""

import uuid

from django.db import models
from django.db.models import Exists, OuterRef, Q

from updater.models import Application, Candidate, TrackedImage

ONE_PENDING = "one_pending_per_image"  # the constraint


class PromotionStatus(models.TextChoices):
    """What has been decided and done; what it waits for is a gate, never a status."""

    PENDING = "PENDING"  # open for decisions
    APPROVED = "APPROVED"  # decided; waits for its turn
    EXECUTING = "EXECUTING"  # a worker writes
    VERIFYING = "VERIFYING"  # written; waits for Synced and Healthy
    SUCCEEDED = "SUCCEEDED"  # it runs
    FAILED = "FAILED"  # deployed, and the release is bad
    ERRORED = "ERRORED"  # the machinery could not; safe to retry
    UNKNOWN = "UNKNOWN"  # an outside effect cannot be established yet
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"
    WITHDRAWN = "WITHDRAWN"
    ABORTED = "ABORTED"

    @classmethod
    def undecided_or_waiting(cls) -> list["PromotionStatus"]:
        """Statuses in which nothing was written yet."""
        return [cls.PENDING, cls.APPROVED]

    @classmethod
    def in_flight(cls) -> list["PromotionStatus"]:
        """Statuses that block their target: at most one promotion of an image is in them."""
        return [cls.EXECUTING, cls.VERIFYING, cls.UNKNOWN]

    @classmethod
    def alive(cls) -> list["PromotionStatus"]:
        """Statuses that can still change."""
        return [*cls.undecided_or_waiting(), *cls.in_flight(), cls.ERRORED]

    @classmethod
    def over(cls) -> list["PromotionStatus"]:
        """Statuses that never change again."""
        return [status for status in cls if status not in cls.alive()]


class PromotionQuerySet(models.QuerySet["Promotion"]):
    """Promotions by where they stand."""

    def pending(self) -> "PromotionQuerySet":
        """Open for decisions."""
        return self.filter(status=PromotionStatus.PENDING)

    def alive(self) -> "PromotionQuerySet":
        """Everything that is not over."""
        return self.filter(status__in=PromotionStatus.alive())

    def stopping(self) -> "PromotionQuerySet":
        """Those that somebody asked to stop before they were written."""
        return self.filter(abort_requested_at__isnull=False, pushed_at=None)

    def next_in_line(self) -> "PromotionQuerySet":
        """Those of whose image no other promotion is in flight."""
        in_flight = Promotion.objects.filter(
            tracked_image=OuterRef("tracked_image"), status__in=PromotionStatus.in_flight()
        ).exclude(pk=OuterRef("pk"))
        return self.filter(~Exists(in_flight))

    def with_target(self) -> "PromotionQuerySet":
        """With the Application and image in the same query."""
        return self.select_related("application", "tracked_image", "candidate__manifest")

    def with_names(self) -> "PromotionQuerySet":
        """With the Application and image in the same query, but for what is large: enough to name them."""
        return self.select_related("application", "tracked_image").defer(
            "application__manifest",
            "application__problems",
            "application__write_back",
            "application__sync_windows",
            "tracked_image__configuration",
            "tracked_image__choice",
        )


class Promotion(models.Model):
    """One image of one Application from one digest to another, sealed."""

    class Kind(models.TextChoices):
        FORWARD = "forward"
        ROLLBACK = "rollback"
        CHOSEN = "chosen"  # a tag that a person asked for
        EMERGENCY = "emergency"  # under fewer approvers; a review is owed

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="promotions"
    )
    tracked_image = models.ForeignKey(
        TrackedImage, on_delete=models.PROTECT, related_name="promotions"
    )
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="promotions")
    kind = models.TextField(choices=Kind.choices, default=Kind.FORWARD)
    status = models.TextField(choices=PromotionStatus.choices, default=PromotionStatus.PENDING)
    status_at = models.DateTimeField()
    # One sentence for people: why it is in this status
    status_reason = models.TextField(default="", blank=True)
    from_tag = models.TextField(default="", blank=True)
    from_digest = models.TextField(default="", blank=True)
    to_tag = models.TextField()
    to_digest = models.TextField()
    revision = models.PositiveIntegerField(default=1)
    # The canonical subject (sealing.Subject) and its SHA-256, hex
    subject = models.JSONField()
    seal = models.TextField()
    # What the write-back would do, for the page: {"base_commit", "branch", "base_branch", "message", "files":
    # [{"path", "before", "after"}], "argocd_patch", "warnings", "at"}; {"error": …} when it cannot be made
    plan = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.TextField(default="", blank=True)  # "" for the machine
    requested_by = models.TextField(default="", blank=True)  # "" for the machine
    request_reason = models.TextField(default="", blank=True)
    # The release that succeeded here and that a rollback goes back to
    returns_to = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="returns"
    )
    # Who had a hand in what is proposed, from the source repository (authorship.Reading), never sealed; {}: not read
    authors = models.JSONField(default=dict, blank=True)
    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="supersedes"
    )
    # A person wants it stopped; the worker looks between its steps
    abort_requested_at = models.DateTimeField(null=True, blank=True)
    abort_requested_by = models.TextField(default="", blank=True)
    abort_reason = models.TextField(default="", blank=True)
    # Execution: when the next attempt is due, how many were made, what went wrong last
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error_code = models.TextField(default="", blank=True)
    commit = models.TextField(default="", blank=True)  # SHA on the write branch
    pushed_at = models.DateTimeField(null=True, blank=True)
    # What stands on the Git host, where commits go by pull request (execution.proposals.Record); else empty
    pull_request = models.JSONField(default=dict, blank=True)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tracked_image"],
                condition=Q(status="PENDING"),
                name=ONE_PENDING,
            ),
            models.UniqueConstraint(
                fields=["tracked_image"],
                condition=Q(status="APPROVED"),
                name="one_approved_per_image",
            ),
            models.UniqueConstraint(
                fields=["tracked_image"],
                condition=Q(status__in=["EXECUTING", "VERIFYING", "UNKNOWN"]),
                name="one_in_flight_per_image",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["rollback", "chosen"])
                | (~Q(requested_by="") & ~Q(request_reason="")),
                name="asked_for_by_somebody_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(kind="rollback") | Q(returns_to__isnull=False),
                name="rollback_goes_back_to_a_release",
            ),
            models.UniqueConstraint(
                fields=["tracked_image"],
                condition=Q(
                    kind="rollback",
                    status__in=["PENDING", "APPROVED", "EXECUTING", "VERIFYING", "UNKNOWN"],
                ),
                name="one_open_rollback_per_image",
            ),
            models.CheckConstraint(
                condition=Q(status__in=PromotionStatus.values), name="promotion_status_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["APPROVED", "EXECUTING", "VERIFYING", "SUCCEEDED"])
                | Q(approved_at__isnull=False),
                name="nothing_moves_on_without_approval",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="promotion_by_age"),
            models.Index(fields=["status", "created_at"], name="promotion_by_status"),
            models.Index(fields=["application", "-created_at"], name="promotion_by_application"),
            models.Index(fields=["tracked_image", "-created_at"], name="promotion_by_image"),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status__in=["APPROVED", "EXECUTING", "UNKNOWN"]),
                name="promotion_due",
            ),
            models.Index(
                fields=["application"],
                condition=Q(pull_request__state__in=["proposed", "open"]),
                name="promotion_open_pull_request",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tracked_image} {self.from_tag} → {self.to_tag}"

    @property
    def is_pending(self) -> bool:
        """Whether it is open for decisions."""
        return self.status == PromotionStatus.PENDING

    @property
    def why_gone(self) -> str:
        """Why its Application or image cannot be written any more, as a sentence; "" while it can."""
        if self.application.vanished_at:
            return "The Application was deleted."
        if self.tracked_image.removed_at:
            return "The image is no longer in the Application's image list."
        if not self.tracked_image.is_usable:
            return "The image's configuration is broken; the Application's page names the key."
        return ""

    @property
    def is_what(self) -> str:
        """Where it stands, as the rest of a sentence about it: "is pending", "has failed"."""
        verb = "has" if self.status in ("SUCCEEDED", "FAILED", "EXPIRED") else "is"
        return f"{verb} {self.get_status_display().lower()}"

    @property
    def is_stopping(self) -> bool:
        """Whether somebody asked to stop it before it was written."""
        return self.abort_requested_at is not None and self.pushed_at is None

    @property
    def short_seal(self) -> str:
        """The seal as people read it: its first ten characters."""
        return self.seal[:10]
