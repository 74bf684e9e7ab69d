"""What the API shows of a promotion: in lists, and by itself."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals import decisions, permissions, policy, waiting
from approvals.api.serializers.comments import CommentSerializer
from approvals.api.serializers.decisions import DecisionSerializer
from approvals.api.serializers.reviews import EmergencySerializer
from approvals.api.serializers.standing import ActionSerializer, ExcludedSerializer, GateSerializer
from approvals.models import Promotion
from approvals.permissions import Action
from approvals.presenters import left_out
from approvals.queries.scopes import Scope
from updater import clock

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


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    """A promotion as lists show it."""

    application = serializers.CharField(source="application.full_name")
    image = serializers.CharField(source="tracked_image.alias")
    emergency = EmergencySerializer(source="review", read_only=True, allow_null=True)

    class Meta:
        model = Promotion
        fields = _PROMOTION_FIELDS


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
