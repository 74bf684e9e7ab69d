"""What people ask for through the API: the way back, a tag of their choice, and what became of it."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request as ApiRequest
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import decisions, permissions
from approvals.api.authentication import actor_of, person_of
from approvals.api.idempotency import once
from approvals.api.serializers import StrictSerializer, TextField, WithReasonSerializer
from approvals.api.verbs import IDEMPOTENCY_KEY, PROBLEMS
from approvals.api.views import visible_to
from approvals.decisions import PromotionNotFoundError, RequestNotFoundError
from approvals.models import Request
from approvals.permissions import Action
from approvals.queries import applications, asked
from approvals.queries.scopes import Scope
from updater.models import TrackedImage

_F = Callable[..., Response]


class RequestSerializer(serializers.ModelSerializer[Request]):
    """What was asked for and how far it is; the promotion that it becomes has the same id."""

    application = serializers.CharField(source="tracked_image.application.full_name")
    image = serializers.CharField(source="tracked_image.alias")
    requested_by = serializers.CharField(source="by.username")
    kind = serializers.CharField(help_text="rollback or chosen.")
    status = serializers.CharField(help_text="WAITING, OPENED, REFUSED or WITHDRAWN.")

    class Meta:
        model = Request
        fields = (
            "id",
            "application",
            "image",
            "kind",
            "tag",
            "digest",
            "is_downgrade",
            "returns_to",
            "reason",
            "requested_by",
            "at",
            "status",
            "problem",
            "ended_at",
        )


class TagRequestSerializer(StrictSerializer):
    """Which tag of which image, and why."""

    image = TextField(max_length=253, help_text="The image's alias within the Application.")
    tag = TextField(max_length=128)
    reason = TextField(max_length=4000)


def _described(name: str, request: type[StrictSerializer]) -> Callable[[_F], _F]:
    return extend_schema(
        operation_id=name,
        parameters=[IDEMPOTENCY_KEY],
        request=request,
        responses={200: RequestSerializer, **PROBLEMS},
    )


class RollBack(APIView):
    """Ask for the way back to a release that succeeded here; a worker prepares it, somebody else decides."""

    required_action: ClassVar[Action] = Action.EXECUTE

    @_described("promotion_roll_back", WithReasonSerializer)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Roll back."""
        sent = _read(WithReasonSerializer, request)
        if not visible_to(request).filter(pk=pk).exists():
            raise PromotionNotFoundError("There is no such promotion.")
        return _ask(request, decisions.roll_back, {"promotion_id": pk, **sent})


class TagRequests(APIView):
    """Ask for a tag of your own choice; a worker prepares it, somebody else decides."""

    required_action: ClassVar[Action] = Action.REQUEST

    @_described("application_request", TagRequestSerializer)
    def post(self, request: ApiRequest, namespace: str, name: str) -> Response:
        """Ask for a tag."""
        sent = _read(TagRequestSerializer, request)
        image = _image(request, namespace, name, sent.pop("image"))
        return _ask(request, decisions.request, {"tracked_image": image, **sent})


class RequestDetail(APIView):
    """What was asked for, and what became of it."""

    required_action: ClassVar[Action] = Action.VIEW

    @extend_schema(operation_id="request_retrieve", responses={200: RequestSerializer, **PROBLEMS})
    def get(self, request: ApiRequest, pk: UUID) -> Response:
        """Return the request."""
        return Response(RequestSerializer(_found(request, pk)).data)


class WithdrawRequest(APIView):
    """Take back what was asked for, before a worker has prepared it."""

    required_action: ClassVar[Action] = Action.REQUEST

    @_described("request_withdraw", WithReasonSerializer)
    def post(self, request: ApiRequest, pk: UUID) -> Response:
        """Take it back."""
        sent = _read(WithReasonSerializer, request)
        _found(request, pk)
        return _ask(request, decisions.withdraw_request, {"request_id": pk, **sent})


def _read(serializer: type[StrictSerializer], request: ApiRequest) -> dict[str, Any]:
    sent = serializer(data=request.data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def _seen_by(request: ApiRequest) -> Scope:
    return Scope(permissions.applications_for(request.user, Action.VIEW))


def _found(request: ApiRequest, pk: UUID) -> Request:
    found = asked.find(pk, visible=_seen_by(request))
    if found is None:
        raise RequestNotFoundError("There is no such request.")
    return found


def _image(request: ApiRequest, namespace: str, name: str, alias: str) -> TrackedImage:
    application = applications.find(namespace, name, visible=_seen_by(request))
    if application is None:
        raise Http404
    image = TrackedImage.objects.filter(application=application, alias=alias).first()
    if image is None:
        raise Http404
    return image


def _ask(request: ApiRequest, verb: Callable[..., Request], values: dict[str, Any]) -> Response:
    person, by = person_of(request), actor_of(request)

    def act() -> dict[str, Any]:
        return dict(RequestSerializer(verb(person=person, by=by, **values)).data)

    return once(request, person, act)
