"""Errors of the API: one object `{code, message}`, one mapping from domain errors to status codes."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from approvals.decisions import (
    CommentRefusedError,
    HoldNotFoundError,
    HoldNotPossibleError,
    PromotionNotFoundError,
    ReasonMissingError,
    RequestNotFoundError,
    SealChangedError,
)
from approvals.permissions import NotAllowedError
from updater.errors import PermanentError, UpdaterError


class BadRequestError(PermanentError):
    """The request itself is wrong; the message names field and mend."""

    code = "bad_request"


class KeyReusedError(PermanentError):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"


_STATUS: tuple[tuple[type[UpdaterError], int], ...] = (
    (PromotionNotFoundError, status.HTTP_404_NOT_FOUND),
    (RequestNotFoundError, status.HTTP_404_NOT_FOUND),
    (NotAllowedError, status.HTTP_403_FORBIDDEN),
    (HoldNotFoundError, status.HTTP_404_NOT_FOUND),
    (HoldNotPossibleError, status.HTTP_400_BAD_REQUEST),
    (CommentRefusedError, status.HTTP_400_BAD_REQUEST),
    (ReasonMissingError, status.HTTP_400_BAD_REQUEST),
    (BadRequestError, status.HTTP_400_BAD_REQUEST),
    (KeyReusedError, status.HTTP_422_UNPROCESSABLE_ENTITY),
    (PermanentError, status.HTTP_409_CONFLICT),
    (UpdaterError, status.HTTP_503_SERVICE_UNAVAILABLE),
)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn any anticipated error into its problem object; others become a plain 500."""
    if isinstance(error, UpdaterError):
        code = next(number for kind, number in _STATUS if isinstance(error, kind))
        return Response(_domain_problem(error), status=code)
    response = exception_handler(error, context)
    if response is None:
        return None
    response.data = {"code": _code(error), "message": _message(error)}
    return response


def _domain_problem(error: UpdaterError) -> dict[str, Any]:
    problem: dict[str, Any] = {"code": error.code, "message": str(error)}
    if isinstance(error, SealChangedError):
        problem["seal"] = error.promotion.seal
        problem["digest"] = error.promotion.to_digest
    return problem


def _code(error: Exception) -> str:
    if isinstance(error, Http404):
        return "not_found"
    if isinstance(error, PermissionDenied):
        return "not_allowed"
    if isinstance(error, exceptions.APIException):
        return str(error.default_code)
    return "error"


def _message(error: Exception) -> str:
    if isinstance(error, Http404):
        return "There is no such thing, or you may not see it."
    if isinstance(error, exceptions.ValidationError):
        return "; ".join(_flat(error.detail))
    if isinstance(error, exceptions.APIException):
        return str(error.detail)
    return str(error)


def _flat(detail: Any) -> list[str]:  # noqa: ANN401  REST framework nests lists and dicts of texts
    if isinstance(detail, dict):
        return [f"{key}: {text}" for key, value in detail.items() for text in _flat(value)]
    if isinstance(detail, list):
        return [text for item in detail for text in _flat(item)]
    return [str(detail)]
