"""What the API shows of Applications and their images."""

from rest_framework import serializers

from updater.models import Application, TrackedImage


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
