"""The rules that a promotion was sealed under, found again among the stored texts of the policy file."""

from collections.abc import Iterator, Sequence

from approvals.models import Decision, PolicyVersion, Promotion
from approvals.policy import store
from approvals.policy.effective import Effective
from approvals.policy.facts import mode_of
from approvals.policy.reading import PolicyFileError
from approvals.policy.rules import effective_for
from approvals.policy.store import BUILT_IN, Policy


def sealed_under(promotions: Sequence[Promotion]) -> dict[object, Effective]:
    """Return, by primary key, the rules whose version each seal names; without an entry nothing gives it.

    A policy that reads the Application's labels or project may not be found once those have changed.
    """
    wanted = {row.pk: (row, str(row.subject.get("policy") or "")) for row in promotions}
    found: dict[object, Effective] = {}
    for policy in _policies():
        rows = [row for row, _ in wanted.values()]
        by_application = effective_for({row.application for row in rows}, policy)
        for row, version in list(wanted.values()):
            effective = by_application[row.application_id]
            if effective.version(mode_of(row)) == version:
                found[row.pk] = effective
                del wanted[row.pk]
        if not wanted:
            break
    return found


def alone_under(decision: Decision) -> Effective | None:
    """Return the rules under which the policy decided alone, by the version that it wrote down."""
    version = str(decision.identity.get("inputs", {}).get("policy", ""))
    if not PolicyVersion.objects.filter(hash=version, problem="").exists():
        return None
    try:
        policy = Policy(store.document_of(version), version)
    except PolicyFileError:
        return None
    application = decision.promotion.application
    return effective_for([application], policy)[application.pk]


def _policies() -> Iterator[Policy]:
    yield store.current()
    hashes = PolicyVersion.objects.filter(problem="").newest_first().values_list("hash", flat=True)
    for version in dict.fromkeys(hashes):
        try:
            yield Policy(store.document_of(version), version)
        except PolicyFileError:
            continue  # this release does not read it any more; the caller says what is not found
    yield Policy(BUILT_IN)
