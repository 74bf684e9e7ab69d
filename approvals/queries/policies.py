"""The versions of the policy file, as they were loaded."""

from django.db.models import Exists, OuterRef, QuerySet

from approvals.models import PolicyVersion

MAX_VERSIONS = 50


def versions() -> list[PolicyVersion]:
    """Return the newest loadings of the file, taken and refused, without their texts; `is_first` of none before it."""
    earlier = _taken().filter(pk__lt=OuterRef("pk"))
    rows = PolicyVersion.objects.newest_first().defer("text", "bindings")
    return list(rows.annotate(is_first=~Exists(earlier))[:MAX_VERSIONS])


def find(version_id: int | None) -> PolicyVersion | None:
    """Return a version that was taken, with its text."""
    return _taken().filter(pk=version_id).first() if version_id else None


def before(version: PolicyVersion) -> PolicyVersion | None:
    """Return the version that stood before this one."""
    return _taken().filter(pk__lt=version.pk).order_by("-pk").first()


def standing_text() -> str:
    """Return the text of the version that stands; "" for the built-in one."""
    return PolicyVersion.objects.current().values_list("text", flat=True).first() or ""


def _taken() -> QuerySet[PolicyVersion]:
    return PolicyVersion.objects.filter(problem="")
