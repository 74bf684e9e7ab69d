"""What the API accepts with each verb on a promotion."""

from rest_framework import serializers

from approvals.api.serializers.strict import StrictSerializer, TextField
from approvals.models import Finding


class SealedSerializer(StrictSerializer):
    """The seal that was seen: nobody decides on what they did not read."""

    seal = serializers.RegexField(
        r"^[0-9a-f]{64}$", help_text="The 64 hex digits of the promotion's seal."
    )


class ApproveSerializer(SealedSerializer):
    """The seal that was seen, and perhaps a reason."""

    reason = TextField(required=False, allow_blank=True, default="", max_length=4000)


class RejectSerializer(SealedSerializer):
    """The seal that was seen, the reason, and how far the rejection reaches."""

    reason = TextField(max_length=4000)
    scope = serializers.ChoiceField(["DIGEST", "UNTIL_NEWER"], default="DIGEST")


class DeclareSerializer(SealedSerializer):
    """The seal that was seen, why it cannot wait, and the incident."""

    reason = TextField(max_length=4000)
    incident = TextField(required=False, allow_blank=True, default="", max_length=200)


class NothingSerializer(StrictSerializer):
    """A verb that needs no words: an empty object, or no body at all."""


class WithReasonSerializer(StrictSerializer):
    """Why."""

    reason = TextField(max_length=4000)


class FindingSerializer(StrictSerializer):
    """What was found outside, and how."""

    verdict = serializers.ChoiceField(Finding.Verdict.choices)
    evidence = TextField(max_length=2000)
