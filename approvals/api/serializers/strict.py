"""How strictly the API reads what it is sent, whatever that is."""

from typing import Any

from rest_framework import serializers


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
