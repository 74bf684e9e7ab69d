"""What the API answers instead when something is wrong."""

from typing import Any

from rest_framework import serializers


class ProblemSerializer(serializers.Serializer[Any]):
    """Every error of the API."""

    code = serializers.CharField()
    message = serializers.CharField()
