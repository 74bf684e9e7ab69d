"""What the API shows of each model, field by field, and what it accepts."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals import decisions, permissions, policy, waiting
from approvals.models import Comment, Decision, Finding, Promotion, Review
from approvals.permissions import Action
from approvals.presenters import left_out
from approvals.queries.scopes import Scope
from updater import clock
from updater.models import Application, AuditEvent, TrackedImage


class TrackedImageSerializer(serializers.ModelSerializer[TrackedImage]):
    """One image of an Application."""

    image_repository = serializers.CharField(source="image_repository.__str__", allow_null=True)
    strategy = serializers.CharField(source="configuration.strategy", default="")

    class Meta:
        model = TrackedImage
        fields = (
            "alias",
            "image_repository",
            "strategy",
            "is_usable",
            "is_live",
            "live_tag",
            "live_digest",
            "choice",
        )


class ApplicationSerializer(serializers.ModelSerializer[Application]):
    """An Application with its images and configuration problems."""

    images = TrackedImageSerializer(source="present_images", many=True)

    class Meta:
        model = Application
        fields = (
            "cluster",
            "namespace",
            "name",
            "project",
            "is_managed",
            "source_type",
            "sync_status",
            "health_status",
            "revision",
            "problems",
            "seen_at",
            "images",
        )


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """One person's word, or the policy's."""

    is_automatic = serializers.BooleanField(help_text="The policy alone decided, under `rule`.")
    username = serializers.CharField(source="identity.username")

    class Meta:
        model = Decision
        fields = (
            "verb",
            "username",
            "is_automatic",
            "rule",
            "reason",
            "revision",
            "seal",
            "at",
            "voided_at",
            "void_reason",
        )


_PROMOTION_FIELDS: tuple[str, ...] = (
    "id",
    "application",
    "image",
    "kind",
    "status",
    "status_reason",
    "status_at",
    "from_tag",
    "from_digest",
    "to_tag",
    "to_digest",
    "revision",
    "seal",
    "created_at",
    "expires_at",
    "approved_at",
    "commit",
    "emergency",
    "abort_requested_at",
    "abort_requested_by",
    "abort_reason",
)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """The review that an emergency owes, or was given."""

    application = serializers.CharField(source="promotion.application.full_name")
    image = serializers.CharField(source="promotion.tracked_image.alias")
    tag = serializers.CharField(source="promotion.to_tag")
    declared_by = serializers.CharField(source="declared_by.username")
    given_by = serializers.CharField(source="given_by.username", allow_null=True, default=None)

    class Meta:
        model = Review
        fields = (
            "id",
            "promotion",
            "application",
            "image",
            "tag",
            "incident",
            "reason",
            "declared_by",
            "declared_at",
            "due_at",
            "given_by",
            "given_at",
            "verdict",
            "notes",
        )


class EmergencySerializer(serializers.ModelSerializer[Review]):
    """What an emergency was declared for, and until when its review is owed."""

    class Meta:
        model = Review
        fields = ("incident", "reason", "due_at", "given_at", "verdict")


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    """A promotion as lists show it."""

    application = serializers.CharField(source="application.full_name")
    image = serializers.CharField(source="tracked_image.alias")
    emergency = EmergencySerializer(source="review", read_only=True, allow_null=True)

    class Meta:
        model = Promotion
        fields = _PROMOTION_FIELDS


class ReasonSerializer(serializers.Serializer[Any]):
    """One cause of an action being off; what is empty is left out."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    rule = serializers.CharField(
        required=False, help_text="The rules of the policy that ask for it."
    )
    fact = serializers.CharField(required=False, help_text="What was looked at.")
    fact_at = serializers.DateTimeField(required=False, help_text="When that was seen.")
    who = serializers.CharField(required=False, help_text="Who can change it.")
    changes_at = serializers.DateTimeField(
        required=False, help_text="When it may change by itself."
    )
    because = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="The causes of this one."
    )


class ActionSerializer(serializers.Serializer[Any]):
    """One verb, whether the caller can use it now, and what stands against it."""

    verb = serializers.CharField()
    possible = serializers.BooleanField()
    reasons = ReasonSerializer(many=True)


class CommentSerializer(serializers.ModelSerializer[Comment]):
    """One comment, as written: whoever shows it escapes it."""

    username = serializers.CharField(source="by.username")

    class Meta:
        model = Comment
        fields = ("id", "username", "author", "text", "at")


class GateSerializer(serializers.Serializer[Any]):
    """One gate: whether it lets the promotion pass, the fact, its age, and when it may change."""

    gate = serializers.CharField()
    name = serializers.CharField()
    verdict = serializers.ChoiceField(["pass", "wait", "block", "unknown", "override"])
    code = serializers.CharField()
    sentence = serializers.CharField()
    rule = serializers.CharField(required=False)
    fact_at = serializers.DateTimeField(required=False, help_text="When the fact was seen.")
    who = serializers.CharField(required=False, help_text="Who can change it.")
    changes_at = serializers.DateTimeField(
        required=False, help_text="When it may change by itself."
    )


class ExcludedSerializer(serializers.Serializer[Any]):
    """Somebody whose approval would not count."""

    username = serializers.CharField()
    why = serializers.CharField()
    commit = serializers.CharField(help_text="The commit that excludes them, if one does.")


class PromotionDetailSerializer(PromotionSerializer):
    """A promotion with what is sealed, what would be written, its decisions, and what the caller can do."""

    decisions = DecisionSerializer(many=True)
    comments = CommentSerializer(many=True)
    actions = serializers.SerializerMethodField()
    gates = serializers.SerializerMethodField()
    excluded = serializers.SerializerMethodField()

    class Meta(PromotionSerializer.Meta):
        fields = (
            *_PROMOTION_FIELDS,
            "subject",
            "plan",
            "decisions",
            "comments",
            "actions",
            "gates",
            "excluded",
        )

    def to_representation(self, promotion: Promotion) -> dict[str, Any]:
        """Return the promotion as this person sees it; the policy is read once for all that is asked of it."""
        person = self.context["request"].user
        self.situation = decisions.Situation(promotion, person, clock.now())
        return super().to_representation(promotion)

    @extend_schema_field(GateSerializer(many=True))
    def get_gates(self, promotion: Promotion) -> list[dict[str, Any]]:
        """Return what it waits for and what lets it pass; nothing once it has started."""
        rules, person = self.situation.rules, self.situation.person
        bound = rules.policy.bindings
        visible = Scope(permissions.applications_for(person, Action.VIEW, bound=bound))
        known = waiting.Known(rules)
        found = waiting.gates(promotion, at=self.situation.at, visible=visible, known=known)
        return [gate.as_dict() for gate in found]

    @extend_schema_field(ExcludedSerializer(many=True))
    def get_excluded(self, promotion: Promotion) -> list[dict[str, str]]:
        """Return whose approval would not count, and why."""
        rules, at = self.situation.rules, self.situation.at
        standing = policy.explain_all([promotion], None, at=at, rules=rules)[promotion.pk]
        found = left_out.of(promotion, standing).people
        return [{"username": one.username, "why": one.why, "commit": one.commit} for one in found]

    @extend_schema_field(ActionSerializer(many=True))
    def get_actions(self, promotion: Promotion) -> list[dict[str, Any]]:  # noqa: ARG002  REST framework's signature
        """Return every verb, and for each one that is off the reasons."""
        return [offer.as_dict() for offer in decisions.offers(self.situation)]


class PolicySerializer(serializers.Serializer[Any]):
    """The policy that stands; `effective` is what holds for the Application that was asked about."""

    version = serializers.CharField(source="name")
    hash = serializers.CharField(allow_blank=True)
    loaded_at = serializers.DateTimeField(allow_null=True)
    loaded_by = serializers.CharField(allow_blank=True)
    problem = serializers.CharField(help_text="Why the newest file was refused.", allow_blank=True)
    closed = serializers.CharField(help_text="Why nobody may approve.", allow_blank=True)
    effective = serializers.DictField(read_only=True, default=None)


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """One fact of the audit trail."""

    details = serializers.SerializerMethodField()

    class Meta:
        model = AuditEvent
        fields = (
            "sequence",
            "at",
            "kind",
            "actor",
            "actor_kind",
            "via",
            "address",
            "request_id",
            "application",
            "image",
            "promotion",
            "details",
            "previous_hash",
            "hash",
        )

    def get_details(self, event: AuditEvent) -> dict[str, Any]:
        """Return the details as an object; the chain is over their stored text."""
        details: dict[str, Any] = json.loads(event.details)
        return details


class StrictSerializer(serializers.Serializer[Any]):
    """Accepts its own fields and nothing else: a field we ignore would be a field somebody believes in."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse unknown fields by name."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "Unknown field."))
        return attrs


class TextField(serializers.CharField):
    """Accepts JSON strings only: a number is not a reason."""

    def to_internal_value(self, data: object) -> str:
        """Return the text."""
        if not isinstance(data, str) or any("\ud800" <= sign <= "\udfff" for sign in data):
            self.fail("invalid")  # half of a pair is no text, and PostgreSQL keeps none
        return str(super().to_internal_value(data))


class ApproveSerializer(StrictSerializer):
    """The seal that was seen, and perhaps a reason."""

    seal = serializers.RegexField(
        r"^[0-9a-f]{64}$", help_text="The 64 hex digits of the promotion's seal."
    )
    reason = TextField(required=False, allow_blank=True, default="", max_length=4000)


class RejectSerializer(StrictSerializer):
    """The seal that was seen, the reason, and how far the rejection reaches."""

    seal = serializers.RegexField(
        r"^[0-9a-f]{64}$", help_text="The 64 hex digits of the promotion's seal."
    )
    reason = TextField(max_length=4000)
    scope = serializers.ChoiceField(["DIGEST", "UNTIL_NEWER"], default="DIGEST")


class DeclareSerializer(StrictSerializer):
    """The seal that was seen, why it cannot wait, and the incident."""

    seal = serializers.RegexField(
        r"^[0-9a-f]{64}$", help_text="The 64 hex digits of the promotion's seal."
    )
    reason = TextField(max_length=4000)
    incident = TextField(required=False, allow_blank=True, default="", max_length=200)


class GivenReviewSerializer(StrictSerializer):
    """What was found, and in which words."""

    verdict = serializers.ChoiceField(Review.Verdict.choices)
    notes = TextField(max_length=4000)


class NothingSerializer(StrictSerializer):
    """A verb that needs no words: an empty object, or no body at all."""


class WithReasonSerializer(StrictSerializer):
    """Why."""

    reason = TextField(max_length=4000)


class FindingSerializer(StrictSerializer):
    """What was found outside, and how."""

    verdict = serializers.ChoiceField(Finding.Verdict.choices)
    evidence = TextField(max_length=2000)


class ProblemSerializer(serializers.Serializer[Any]):
    """Every error of the API."""

    code = serializers.CharField()
    message = serializers.CharField()
