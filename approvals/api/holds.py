"""The API's holds, and comments on a promotion: lists, and verbs that run once for each Idempotency-Key."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import decisions, permissions
from approvals.api import filters, pagination, serializers
from approvals.api.authentication import actor_of, person_of
from approvals.api.idempotency import once
from approvals.api.serializers.holds import shown
from approvals.api.verbs import IDEMPOTENCY_KEY, PROBLEMS
from approvals.api.views import visible_to
from approvals.decisions import PromotionNotFoundError, Target
from approvals.models import Hold
from approvals.permissions import Action
from approvals.queries import holds
from approvals.queries.scopes import Scope


class HoldList(ListAPIView[Hold]):
    """Holds, newest first, standing and past; POST sets one."""

    serializer_class = serializers.HoldSerializer
    pagination_class = pagination.HoldPages

    @property
    def required_action(self) -> Action:
        """Reading needs less than holding."""
        return Action.HOLD if self.request.method == "POST" else Action.VIEW

    @extend_schema(parameters=[OpenApiParameter("standing", bool)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """List them."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> "QuerySet[Hold]":
        """Return what the caller may see; `standing=true` or `false` for only those."""
        scope = Scope(permissions.applications_for(self.request.user, Action.VIEW))
        return filters.holds(holds.seen(scope), self.request)

    @extend_schema(
        operation_id="hold",
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.MakeHoldSerializer,
        responses={200: serializers.HoldSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Hold an image, an Application or everything."""
        sent = _sent(serializers.MakeHoldSerializer, request)
        target = Target(sent["scope"], sent["application"], sent["image"])
        person, by = person_of(request), actor_of(request)

        def act() -> dict[str, Any]:
            values = {"reason": sent["reason"], "until": sent["until"]}
            return shown(decisions.hold(target=target, **values, person=person, by=by))

        return once(request, person, act)


class Release(APIView):
    """Release a standing hold; what waited for it starts by itself."""

    required_action: ClassVar[Action] = Action.HOLD

    @extend_schema(
        operation_id="hold_release",
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.ReleaseSerializer,
        responses={200: serializers.HoldSerializer, **PROBLEMS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Release it."""
        sent = _sent(serializers.ReleaseSerializer, request)
        person, by = person_of(request), actor_of(request)

        def act() -> dict[str, Any]:
            released = decisions.release(hold_id=pk, reason=sent["reason"], person=person, by=by)
            return shown(released)

        return once(request, person, act)


class Comments(APIView):
    """Say something about a promotion; it changes nothing."""

    required_action: ClassVar[Action] = Action.COMMENT

    @extend_schema(
        operation_id="promotion_comment",
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.MakeCommentSerializer,
        responses={200: serializers.CommentSerializer, **PROBLEMS},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Write a comment."""
        sent = _sent(serializers.MakeCommentSerializer, request)
        person, by = person_of(request), actor_of(request)
        if not visible_to(request).filter(pk=pk).exists():
            raise PromotionNotFoundError("There is no such promotion.")

        def act() -> dict[str, Any]:
            written = decisions.comment(promotion_id=pk, text=sent["text"], person=person, by=by)
            return dict(serializers.CommentSerializer(written).data)

        return once(request, person, act)


def _sent(serializer: Any, request: Request) -> dict[str, Any]:  # noqa: ANN401  a serializer class
    read = serializer(data=request.data)
    read.is_valid(raise_exception=True)
    values: dict[str, Any] = read.validated_data
    return values
