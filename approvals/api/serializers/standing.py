"""What the API shows of where a promotion stands for the caller: verbs, gates, and whose approval would not count."""

from typing import Any

from rest_framework import serializers


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
