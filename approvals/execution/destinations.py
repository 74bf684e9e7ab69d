"""What a promotion writes to: the name under which workers take turns, and the outside host behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from approvals.models import Promotion
from updater import repository_urls


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a plan leads: a branch of a Git repository, or an Application itself."""

    target: str
    host: str

    @classmethod
    def of(cls, promotion: Promotion) -> "Destination":
        """Return where this promotion leads."""
        application = promotion.application
        return cls.named(promotion.plan, application.cluster, application.full_name)

    @classmethod
    def named(cls, plan: Mapping[str, Any], cluster: str, application: str) -> "Destination":
        """Return the same from its method, repository, branch and pull request, and the Application's names."""
        repository = str(plan.get("repository") or "")
        is_git = plan.get("method") == "git"
        host = repository_urls.host(repository) if is_git else cluster
        if plan.get("pull_request"):
            return cls(f"pull-request:{cluster}/{application}", host)
        if is_git:
            return cls(branch_name(repository, plan["branch"]), host)
        return cls(f"application:{cluster}/{application}", host)


def branch_name(repository: str, branch: str) -> str:
    """Return the name of a branch as a target: also where nobody pushes to it directly."""
    return f"git:{repository}#{branch}"
