"""What the API shows of a decision on a promotion."""

from rest_framework import serializers

from approvals.models import Decision


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
