"""What the API shows of the policy."""

from typing import Any

from rest_framework import serializers


class PolicySerializer(serializers.Serializer[Any]):
    """The policy that stands; `effective` is what holds for the Application that was asked about."""

    version = serializers.CharField(source="name")
    hash = serializers.CharField(allow_blank=True)
    loaded_at = serializers.DateTimeField(allow_null=True)
    loaded_by = serializers.CharField(allow_blank=True)
    problem = serializers.CharField(help_text="Why the newest file was refused.", allow_blank=True)
    closed = serializers.CharField(help_text="Why nobody may approve.", allow_blank=True)
    effective = serializers.DictField(read_only=True, default=None)
