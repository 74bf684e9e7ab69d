"""The API's endpoints: input, one domain call, answer."""

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import decisions, permissions
from approvals.api import filters, pagination, serializers
from approvals.api.authentication import actor_of, person_of
from approvals.api.idempotency import once
from approvals.decisions import PromotionNotFoundError
from approvals.models import Promotion
from approvals.permissions import Action
from approvals.queries.scopes import Scope
from updater.models import Application, AuditEvent, TrackedImage

_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same key gives the same answer for 24 hours.",
)

_ANSWERS = {200: serializers.PromotionSerializer, 409: serializers.ProblemSerializer}


def _filter(name: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR)


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, for whoever may see the product."""

    required_action: ClassVar[Action] = Action.VIEW


class ApplicationList(ListAPIView[Application]):
    """Applications that exist in the cluster now, with their images and problems."""

    required_action: ClassVar[Action] = Action.VIEW
    serializer_class = serializers.ApplicationSerializer
    pagination_class = pagination.ApplicationPages

    def get_queryset(self) -> "QuerySet[Application]":
        """Return present Applications with their images in two queries."""
        filters.none(self.request)
        visible = permissions.applications_for(self.request.user, Action.VIEW)
        images = (
            TrackedImage.objects.filter(removed_at=None)
            .select_related("image_repository__registry")
            .order_by("position")
        )
        prefetch = Prefetch("tracked_images", queryset=images, to_attr="present_images")
        return Application.objects.present().filter(visible).prefetch_related(prefetch)


@extend_schema(parameters=[_filter("status"), _filter("application"), _filter("image")])
class PromotionList(ListAPIView[Promotion]):
    """Promotions, newest first."""

    required_action: ClassVar[Action] = Action.VIEW
    serializer_class = serializers.PromotionSerializer

    def get_queryset(self) -> "QuerySet[Promotion]":
        """Return the filtered promotions with their target."""
        return filters.promotions(_visible_to(self.request), self.request)


class PromotionDetail(RetrieveAPIView[Promotion]):
    """One promotion: what is sealed, what would be written, who decided."""

    required_action: ClassVar[Action] = Action.VIEW
    serializer_class = serializers.PromotionDetailSerializer

    def get_queryset(self) -> "QuerySet[Promotion]":
        """Return what the caller may see: of another team's it is not even said that it exists."""
        return _visible_to(self.request).prefetch_related("decisions")


@extend_schema(
    parameters=[
        _filter(name) for name in ("application", "actor", "kind", "promotion", "since", "until")
    ]
)
class AuditEventList(ListAPIView[AuditEvent]):
    """The audit trail, newest first."""

    required_action: ClassVar[Action] = Action.VIEW_AUDIT
    serializer_class = serializers.AuditEventSerializer
    pagination_class = pagination.AuditPages

    def get_queryset(self) -> "QuerySet[AuditEvent]":
        """Return the filtered events."""
        return filters.audit_events(AuditEvent.objects.all(), self.request)


class Approve(APIView):
    """Approve exactly what the seal stands for; 409 with the current seal when it is another subject now."""

    required_action: ClassVar[Action] = Action.DECIDE

    @extend_schema(
        operation_id="promotion_approve",
        parameters=[_IDEMPOTENCY_KEY],
        request=serializers.ApproveSerializer,
        responses=_ANSWERS,
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Approve."""
        return _decide(decisions.approve, serializers.ApproveSerializer, request, pk)


class Reject(APIView):
    """Reject what the seal stands for; the digest is not offered again for this image."""

    required_action: ClassVar[Action] = Action.DECIDE

    @extend_schema(
        operation_id="promotion_reject",
        parameters=[_IDEMPOTENCY_KEY],
        request=serializers.RejectSerializer,
        responses=_ANSWERS,
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Reject."""
        return _decide(decisions.reject, serializers.RejectSerializer, request, pk)


def _visible_to(request: Request) -> "QuerySet[Promotion]":
    scope = Scope(permissions.applications_for(request.user, Action.VIEW))
    return scope.limit(Promotion.objects.with_target())


def _decide(
    verb: Callable[..., Promotion],
    serializer: type[serializers.StrictSerializer],
    request: Request,
    promotion_id: UUID,
) -> Response:
    sent = serializer(data=request.data)
    sent.is_valid(raise_exception=True)
    person, by = person_of(request), actor_of(request)
    if not _visible_to(request).filter(pk=promotion_id).exists():
        raise PromotionNotFoundError("There is no such promotion.")

    def act() -> dict[str, object]:
        promotion = verb(promotion_id=promotion_id, person=person, by=by, **sent.validated_data)
        return dict(serializers.PromotionSerializer(promotion).data)

    return once(request, person, act)
