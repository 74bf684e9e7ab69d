"""Reviews of emergencies through the API: listed, and given."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import decisions, permissions
from approvals.api import filters, pagination, serializers
from approvals.api.authentication import actor_of, person_of
from approvals.api.idempotency import once
from approvals.api.verbs import IDEMPOTENCY_KEY, PROBLEMS
from approvals.decisions import ReviewNotFoundError
from approvals.models import Review
from approvals.permissions import Action
from approvals.queries import reviews
from approvals.queries.scopes import Scope


@extend_schema(parameters=[OpenApiParameter("owed", OpenApiTypes.BOOL)])
class ReviewList(ListAPIView[Review]):
    """Reviews that emergencies owe or were given, latest declared first."""

    required_action: ClassVar[Action] = Action.VIEW
    serializer_class = serializers.ReviewSerializer
    pagination_class = pagination.ReviewPages

    def get_queryset(self) -> "QuerySet[Review]":
        """Return the filtered reviews of the Applications that the caller may see."""
        return filters.reviews(_visible_to(self.request), self.request)


class GiveReview(APIView):
    """Say of somebody else's emergency whether it was justified; once."""

    required_action: ClassVar[Action] = Action.REVIEW

    @extend_schema(
        operation_id="review_give",
        parameters=[IDEMPOTENCY_KEY],
        request=serializers.GivenReviewSerializer,
        responses={200: serializers.ReviewSerializer, **PROBLEMS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Give the review."""
        sent = serializers.GivenReviewSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        person, by = person_of(request), actor_of(request)
        if not _visible_to(request).filter(pk=pk).exists():
            raise ReviewNotFoundError("There is no such review.")

        def act() -> dict[str, object]:
            verdict = Review.Verdict(sent.validated_data["verdict"])
            notes = sent.validated_data["notes"]
            given = decisions.review(
                review_id=pk, verdict=verdict, notes=notes, person=person, by=by
            )
            return dict(serializers.ReviewSerializer(given).data)

        return once(request, person, act)


def _visible_to(request: Request) -> "QuerySet[Review]":
    return reviews.within(Scope(permissions.applications_for(request.user, Action.VIEW)))
