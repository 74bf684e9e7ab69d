"""What needs a person, or soon may: stuck, errored and unknown promotions, silent hosts, alarms of the trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch, Q, QuerySet

from approvals.models import Execution, ExecutionStep, Promotion
from approvals.models.promotion import PromotionStatus as Status
from approvals.queries.scopes import Scope
from updater.audit import AuditKind
from updater.models import Application, AuditEvent, Breaker, Lease

MAX_CASES = 100
MAX_ALARMS = 20
LONG = timedelta(minutes=10)  # an execution that takes longer is shown
ALARM_DAYS = timedelta(days=30)
WAITS_BY_RULE = "gate_closed"  # a window, a hold or a soak: nothing is wrong
FORGED = "forged_trailer"
ALARMS = (AuditKind.TRAILER_FORGED, AuditKind.COMMIT_ORPHANED, AuditKind.EXECUTION_UNAUTHORISED)


@dataclass(frozen=True, slots=True)
class Case:
    """One promotion that does not move on, with its latest attempt and the lease of its target."""

    promotion: Promotion
    attempt: Execution | None
    lease: Lease | None

    @property
    def needs_person(self) -> bool:
        """Whether nothing more happens by itself, or nobody can tell what happened."""
        row = self.promotion
        given_up = row.status == Status.ERRORED and row.next_attempt_at is None
        return given_up or row.status == Status.UNKNOWN or row.error_code == FORGED


def waiting_for_person(visible: Scope) -> "QuerySet[Promotion]":
    """Return the promotions that do not go on without a person."""
    return visible.limit(Promotion.objects.filter(_needs_person()))


def cases(visible: Scope, *, at: datetime) -> list[Case]:
    """Return what does not move on, those for a person first, then the longest standing."""
    stuck = Promotion.objects.with_target().select_related("review").filter(_stuck(at))
    rows = visible.limit(stuck)
    newest = Execution.objects.order_by("-attempt").prefetch_related(
        Prefetch("steps", ExecutionStep.objects.order_by("position"))
    )
    loaded = rows.prefetch_related(Prefetch("executions", newest)).order_by("status_at")[:MAX_CASES]
    attempts = {row.pk: next(iter(row.executions.all()), None) for row in loaded}
    leases = _leases([attempt.target for attempt in attempts.values() if attempt])
    found = [_case(row, attempts[row.pk], leases) for row in loaded]
    return sorted(found, key=lambda case: not case.needs_person)


def breakers() -> list[Breaker]:
    """Return the hosts that are left alone now."""
    return list(Breaker.objects.open())


def alarms(visible: Scope, *, at: datetime) -> list[AuditEvent]:
    """Return the newest alarms about executions, newest first; who sees a part only sees those of that part."""
    recent = AuditEvent.objects.filter(kind__in=ALARMS, at__gte=at - ALARM_DAYS)
    if not visible.is_everything:
        seen = Application.objects.filter(visible.applications)
        recent = recent.filter(application__in=[row.full_name for row in seen])
    return list(recent.order_by("-sequence")[:MAX_ALARMS])


def ahead_of(promotion: Promotion) -> "QuerySet[Promotion]":
    """Return what is written before this one, because it writes to the same place and was approved earlier."""
    plan = promotion.plan
    waiting = Promotion.objects.filter(
        status__in=[Status.APPROVED, Status.EXECUTING, Status.UNKNOWN],
        pushed_at=None,
        approved_at__lt=promotion.approved_at,
    )
    if plan.get("method") == "git":
        place = Q(plan__repository=plan.get("repository"), plan__branch=plan.get("branch"))
    else:
        place = Q(application=promotion.application_id)
    return (
        waiting.filter(place).select_related("application", "tracked_image").order_by("approved_at")
    )


def _needs_person() -> Q:
    given_up = Q(status=Status.ERRORED, next_attempt_at=None)
    forged = Q(status__in=[Status.APPROVED, Status.EXECUTING], error_code=FORGED)
    return given_up | Q(status=Status.UNKNOWN) | forged


def _stuck(at: datetime) -> Q:
    # An open pull request waits for people on its host, as long as they like.
    unopened = Q(pull_request={}) | Q(pull_request__state__in=["proposed", "merged", "closed"])
    long = Q(status=Status.EXECUTING, status_at__lt=at - LONG) & unopened
    held_up = Q(status=Status.APPROVED) & ~Q(error_code__in=["", WAITS_BY_RULE])
    return Q(status__in=[Status.ERRORED, Status.UNKNOWN]) | long | held_up


def _leases(targets: Sequence[str]) -> dict[str, Lease]:
    return {lease.target: lease for lease in Lease.objects.filter(target__in=targets)}


def _case(row: Promotion, attempt: Execution | None, leases: dict[str, Lease]) -> Case:
    return Case(row, attempt, leases.get(attempt.target) if attempt else None)
