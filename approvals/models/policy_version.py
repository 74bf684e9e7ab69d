"""Every text that the policy file ever held, and which one stands."""

from django.db import models
from django.db.models import Q


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    """Versions by what they are now."""

    def current(self) -> "PolicyVersionQuerySet":
        """Keep the one that stands, if any was loaded."""
        return self.filter(is_current=True)

    def newest_first(self) -> "PolicyVersionQuerySet":
        """As they were loaded; the first may be a refused one, then the file is broken now."""
        return self.order_by("-pk")


class PolicyVersion(models.Model):
    """One loading of the policy file: taken (its text is kept), or refused (the problem is)."""

    hash = models.TextField(db_index=True)
    text = models.TextField(default="", blank=True)
    # The role bindings of the text, so that permissions need not read YAML:
    # a list of {"role", "groups", "users", "projects", "applications"}
    bindings = models.JSONField(default=list, blank=True)
    loaded_at = models.DateTimeField()
    loaded_by = models.TextField()
    is_current = models.BooleanField(default=False)
    problem = models.TextField(default="", blank=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_current"], condition=Q(is_current=True), name="one_policy_stands"
            ),
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(problem=""), name="a_refused_policy_never_stands"
            ),
        ]

    def __str__(self) -> str:
        return self.short_hash

    @property
    def short_hash(self) -> str:
        """The version as people read it: the first ten characters of its hash."""
        return self.hash[:10]
