"""The API's lists and single things: what is wanted, what is found."""

from typing import ClassVar

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import permissions, policy
from approvals.api import filters, pagination, serializers
from approvals.models import Promotion
from approvals.permissions import Action
from approvals.policy import overview
from approvals.queries.scopes import Scope
from updater import clock
from updater.models import Application, AuditEvent, TrackedImage


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
        return filters.promotions(visible_to(self.request), self.request)


class PromotionDetail(RetrieveAPIView[Promotion]):
    """One promotion: what is sealed, what would be written, who decided."""

    required_action: ClassVar[Action] = Action.VIEW
    serializer_class = serializers.PromotionDetailSerializer

    def get_queryset(self) -> "QuerySet[Promotion]":
        """Return what the caller may see: of another team's it is not even said that it exists."""
        rows = visible_to(self.request).select_related("tracked_image__image_repository")
        return rows.prefetch_related("decisions", "comments__by")


class PolicyOfApplication(APIView):
    """The policy that stands, and with `application` what holds for that one and where it comes from."""

    required_action: ClassVar[Action] = Action.VIEW

    @extend_schema(
        operation_id="policy_retrieve",
        parameters=[_filter("application")],
        responses={200: serializers.PolicySerializer, 404: serializers.ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        """Return the policy."""
        name, standing = filters.application_name(request), policy.current()
        answer = serializers.PolicySerializer(standing).data
        return Response({**answer, "effective": _effective(request, name) if name else None})


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


def _effective(request: Request, name: str) -> dict[str, object]:
    namespace, _, short = name.partition("/")
    condition = permissions.applications_for(request.user, Action.VIEW)
    rows = Application.objects.present().filter(condition)
    application = rows.filter(namespace=namespace, name=short).first()
    if application is None:
        raise Http404
    visible = {row.full_name for row in rows.defer("manifest")} if condition else None
    return overview.of(application, visible=visible, at=clock.now()).as_dict()


def visible_to(request: Request) -> "QuerySet[Promotion]":
    """Return the promotions that the caller may see, with their target."""
    scope = Scope(permissions.applications_for(request.user, Action.VIEW))
    return scope.limit(Promotion.objects.with_target().select_related("review"))
