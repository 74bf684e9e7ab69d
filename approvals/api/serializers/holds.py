"""What the API shows of holds, and what it accepts to set and release them."""

from typing import Any

from rest_framework import serializers

from approvals.api.serializers.strict import StrictSerializer, TextField
from approvals.models import Hold

MAX_REASON = 2000


class HoldSerializer(serializers.ModelSerializer[Hold]):
    """One hold: what it stops, who set it and why, until when, and how it ended."""

    application = serializers.SerializerMethodField(help_text="namespace/name; empty: everything.")
    image = serializers.SerializerMethodField(help_text="Alias; empty: the whole Application.")

    class Meta:
        model = Hold
        fields = (
            "id",
            "scope",
            "application",
            "image",
            "reason",
            "by",
            "at",
            "until",
            "released_at",
            "released_by",
            "release_reason",
        )

    def get_application(self, hold: Hold) -> str:
        """Return the Application's name."""
        held = hold.held_application
        return held.full_name if held else ""

    def get_image(self, hold: Hold) -> str:
        """Return the image's alias."""
        return hold.tracked_image.alias if hold.tracked_image else ""


class MakeHoldSerializer(StrictSerializer):
    """What to hold, why, and until when."""

    scope = serializers.ChoiceField(Hold.Scope.values)
    application = TextField(
        required=False, default="", max_length=510, help_text="namespace/name; not for everything."
    )
    image = TextField(
        required=False, default="", max_length=253, help_text="Alias; for scope image only."
    )
    reason = TextField(max_length=MAX_REASON)
    until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="ISO 8601 with zone; null: until somebody releases it.",
    )


class ReleaseSerializer(StrictSerializer):
    """Why it may go on."""

    reason = TextField(max_length=MAX_REASON)


def shown(hold: Hold) -> dict[str, Any]:
    """Return a hold as the API answers it."""
    return dict(HoldSerializer(hold).data)
