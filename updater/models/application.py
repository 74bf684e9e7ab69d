"""An Argo CD Application as last read from the cluster, trimmed of all we do not need."""

from django.db import models
from django.db.models import Q


class ApplicationQuerySet(models.QuerySet["Application"]):
    """Applications by what they are to us."""

    def present(self) -> "ApplicationQuerySet":
        """Those that exist in the cluster now."""
        return self.filter(vanished_at=None)


class Application(models.Model):
    """One life of an Application: a recreated one has another uid and is another row."""

    cluster = models.TextField()
    namespace = models.TextField()
    name = models.TextField()
    uid = models.TextField()
    project = models.TextField(default="default")
    # Whitelisted parts of metadata, spec and status only: never values that may be secret.
    manifest = models.JSONField(default=dict)
    # Of which resource version and which ImageUpdater resources this row was made: equal means skip
    read_version = models.TextField(default="", blank=True)
    is_managed = models.BooleanField(default=False)
    source_type = models.TextField(default="", blank=True)
    sync_status = models.TextField(default="", blank=True)
    health_status = models.TextField(default="", blank=True)
    revision = models.TextField(default="", blank=True)
    # [{"key", "value", "message", "code", "alias", "fatal"}], from the configuration
    problems = models.JSONField(default=list)
    # The configured write-back for people: {"method", "repository", "base_branch", "write_branch", "target": {…}}
    write_back = models.JSONField(default=dict)
    # The windows of its project that are about it, as Argo CD holds them
    sync_windows = models.JSONField(default=list, blank=True)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    vanished_at = models.DateTimeField(null=True, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "namespace", "name"],
                condition=Q(vanished_at=None),
                name="one_present_application_per_name",
            ),
            models.UniqueConstraint(fields=["cluster", "uid"], name="one_row_per_application_uid"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """`namespace/name`, as people and the audit trail write it."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_automated(self) -> bool:
        """Whether Argo CD syncs by itself (`spec.syncPolicy.automated`, not `enabled: false`)."""
        return self.is_automatic(
            self.manifest.get("spec", {}).get("syncPolicy", {}).get("automated")
        )

    @staticmethod
    def is_automatic(automated: object) -> bool:
        """Tell the same from that part of the manifest alone."""
        return isinstance(automated, dict) and automated.get("enabled") is not False

    @property
    def live_images(self) -> list[str]:
        """`status.summary.images`, as Argo CD reports them."""
        images = self.manifest.get("status", {}).get("summary", {}).get("images", [])
        return [str(image) for image in images]
