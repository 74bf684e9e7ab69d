"""Names of people as they were when they decided."""

from approvals.models import Decision
from approvals.presenters.texts import visible


def name_of(decision: Decision) -> str:
    """Return the decider's name from the snapshot kept with the decision; nobody is called the policy."""
    if decision.is_automatic:
        return "The policy alone"
    identity = decision.identity
    return visible(str(identity.get("full_name") or identity.get("username") or decision.by))
