"""The API's verbs on a promotion: strict input, one domain call, once for each Idempotency-Key."""

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import decisions
from approvals.api import serializers
from approvals.api.authentication import actor_of, person_of
from approvals.api.idempotency import once
from approvals.api.views import visible_to
from approvals.decisions import PromotionNotFoundError
from approvals.models import Promotion
from approvals.permissions import Action

_F = Callable[..., Response]
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same key gives the same answer for 24 hours.",
)
_PROBLEM = serializers.ProblemSerializer
PROBLEMS = {400: _PROBLEM, 403: _PROBLEM, 404: _PROBLEM, 409: _PROBLEM, 422: _PROBLEM}


def _described(name: str, request: type[serializers.StrictSerializer]) -> Callable[[_F], _F]:
    """Write what every verb has in common into the OpenAPI document."""
    return extend_schema(
        operation_id=f"promotion_{name}",
        parameters=[IDEMPOTENCY_KEY],
        request=request,
        responses={200: serializers.PromotionSerializer, **PROBLEMS},
    )


class Approve(APIView):
    """Approve exactly what the seal stands for; 409 with the current seal when it is another subject now."""

    required_action: ClassVar[Action] = Action.DECIDE

    @_described("approve", serializers.ApproveSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Approve."""
        return _act(decisions.approve, serializers.ApproveSerializer, request, pk)


class Reject(APIView):
    """Reject what the seal stands for; the digest is not offered again for this image."""

    required_action: ClassVar[Action] = Action.DECIDE

    @_described("reject", serializers.RejectSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Reject."""
        return _act(decisions.reject, serializers.RejectSerializer, request, pk)


class WithdrawApproval(APIView):
    """Take back your own approval, until a worker starts."""

    required_action: ClassVar[Action] = Action.DECIDE

    @_described("withdraw_approval", serializers.NothingSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Take back your own approval."""
        return _act(decisions.withdraw_approval, serializers.NothingSerializer, request, pk)


class DeclareEmergency(APIView):
    """Make a pending promotion an emergency: fewer approvers, and a review is owed."""

    required_action: ClassVar[Action] = Action.DECLARE

    @_described("declare_emergency", serializers.DeclareSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Declare an emergency."""
        return _act(decisions.declare, serializers.DeclareSerializer, request, pk)


class Retry(APIView):
    """Make an errored promotion due again; the worker looks before it writes."""

    required_action: ClassVar[Action] = Action.EXECUTE

    @_described("retry", serializers.NothingSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Try again."""
        return _act(decisions.retry, serializers.NothingSerializer, request, pk)


class Withdraw(APIView):
    """Take an open or errored promotion off the table; its digest may be offered again."""

    # Who asked for it may take it back; the verb looks who that was.
    required_action: ClassVar[Action] = Action.REQUEST

    @_described("withdraw", serializers.WithReasonSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Withdraw."""
        return _act(decisions.withdraw, serializers.WithReasonSerializer, request, pk)


class Abort(APIView):
    """Stop what is approved: at once while it waits; while it is written, before the push or not at all."""

    required_action: ClassVar[Action] = Action.EXECUTE

    @_described("abort", serializers.WithReasonSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Stop it."""
        return _act(decisions.abort, serializers.WithReasonSerializer, request, pk)


class Look(APIView):
    """Let a worker look at once; what it then does is what it would do anyway."""

    required_action: ClassVar[Action] = Action.EXECUTE

    @_described("look", serializers.NothingSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Look now."""
        return _act(decisions.look, serializers.NothingSerializer, request, pk)


class Finding(APIView):
    """Say what became of an unknown one; the second person who says the same settles it."""

    required_action: ClassVar[Action] = Action.EXECUTE

    @_described("finding", serializers.FindingSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Record a finding."""
        return _act(decisions.finding, serializers.FindingSerializer, request, pk)


def _act(
    verb: Callable[..., Promotion],
    serializer: type[serializers.StrictSerializer],
    request: Request,
    promotion_id: UUID,
) -> Response:
    sent = serializer(data=request.data)
    sent.is_valid(raise_exception=True)
    person, by = person_of(request), actor_of(request)
    if not visible_to(request).filter(pk=promotion_id).exists():
        raise PromotionNotFoundError("There is no such promotion.")

    def act() -> dict[str, object]:
        promotion = verb(promotion_id=promotion_id, person=person, by=by, **sent.validated_data)
        return dict(serializers.PromotionSerializer(promotion).data)

    return once(request, person, act)
