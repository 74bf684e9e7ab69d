"""What the API shows of emergencies and of the reviews they owe, and what it accepts as a review."""

from rest_framework import serializers

from approvals.api.serializers.strict import StrictSerializer, TextField
from approvals.models import Review


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


class GivenReviewSerializer(StrictSerializer):
    """What was found, and in which words."""

    verdict = serializers.ChoiceField(Review.Verdict.choices)
    notes = TextField(max_length=4000)
