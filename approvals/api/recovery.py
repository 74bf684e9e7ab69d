"""What is stuck, for machines: the same facts as the recovery page."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import permissions
from approvals.api import filters
from approvals.api.serializers import AuditEventSerializer, PromotionSerializer
from approvals.models import Execution, ExecutionStep
from approvals.permissions import Action
from approvals.presenters import runbooks
from approvals.queries import recovery
from approvals.queries.recovery import Case
from approvals.queries.scopes import Scope
from updater import clock
from updater.models import Breaker, Lease


class StepSerializer(serializers.ModelSerializer[ExecutionStep]):
    """One step: what was intended, found and concluded."""

    class Meta:
        model = ExecutionStep
        fields = ("position", "name", "intended", "probed", "state", "started_at", "ended_at")


class AttemptSerializer(serializers.ModelSerializer[Execution]):
    """One attempt with its steps."""

    steps = StepSerializer(many=True)

    class Meta:
        model = Execution
        fields = (
            "attempt",
            "target",
            "holder",
            "fence",
            "status",
            "error_code",
            "message",
            "base_commit",
            "intended_commit",
            "started_at",
            "ended_at",
            "steps",
        )


class LeaseSerializer(serializers.ModelSerializer[Lease]):
    """Who holds a target; without `expires_at` it is released."""

    class Meta:
        model = Lease
        fields = ("holder", "fence", "expires_at")


class BreakerSerializer(serializers.ModelSerializer[Breaker]):
    """One host that does not answer."""

    kind = serializers.CharField()
    runbook = serializers.SerializerMethodField()

    class Meta:
        model = Breaker
        fields = (
            "kind",
            "host",
            "failing_since",
            "retry_at",
            "error_code",
            "error_message",
            "runbook",
        )

    def get_runbook(self, breaker: Breaker) -> str:
        """Return the name of the page that helps."""
        return runbooks.for_breaker(breaker.kind)


class CaseSerializer(serializers.Serializer[Case]):
    """One promotion that does not move on."""

    promotion = PromotionSerializer()
    error_code = serializers.CharField(source="promotion.error_code")
    attempts = serializers.IntegerField(source="promotion.attempts")
    next_attempt_at = serializers.DateTimeField(source="promotion.next_attempt_at")
    needs_person = serializers.BooleanField()
    attempt = AttemptSerializer()
    lease = LeaseSerializer()


class RecoverySerializer(serializers.Serializer[Any]):
    """Everything that does not move on by itself."""

    needs_person = serializers.IntegerField()
    cases = CaseSerializer(many=True)
    breakers = BreakerSerializer(many=True)
    alarms = AuditEventSerializer(many=True)


class RecoveryView(APIView):
    """What is stuck, which hosts are silent, and the alarms of the last 30 days."""

    required_action: ClassVar[Action] = Action.VIEW

    @extend_schema(operation_id="recovery", responses=RecoverySerializer)
    def get(self, request: Request) -> Response:
        """Return it."""
        filters.none(request)
        at = clock.now()
        visible = Scope(permissions.applications_for(request.user, Action.VIEW))
        found = {
            "needs_person": recovery.waiting_for_person(visible).count(),
            "cases": recovery.cases(visible, at=at),
            "breakers": recovery.breakers(),
            "alarms": recovery.alarms(visible, at=at),
        }
        return Response(RecoverySerializer(found).data)
