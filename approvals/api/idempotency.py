"""The same Idempotency-Key gives the same answer; with another request it is refused.

The record is written in the same transaction as the decision, so neither exists without the other.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api.problems import BadRequestError, KeyReusedError
from approvals.models import IdempotencyRecord
from updater import clock
from updater.errors import PermanentError

KEPT = timedelta(hours=24)
MAX_KEY_LENGTH = 200


def once(request: Request, person: User, act: Callable[[], dict[str, Any]]) -> Response:
    """Run `act` once for the request's Idempotency-Key and answer its result; without a key, just run it.

    Raises:
        BadRequestError: the key is empty or too long. KeyReusedError: the key came with another request.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return Response(act())
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise BadRequestError(f"Idempotency-Key must have 1 to {MAX_KEY_LENGTH} characters.")
    with transaction.atomic():
        _one_at_a_time(person, key)
        try:
            body = _remembered(request, person, key) or _act(request, person, key, act)
        except PermanentError as error:
            refusal = error  # raised after the commit: the audit row of the refusal must stay
        else:
            return Response(body)
    raise refusal


def _act(
    request: Request, person: User, key: str, act: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    body = act()
    stored: dict[str, Any] = json.loads(json.dumps(body, default=str))
    IdempotencyRecord.objects.create(
        user=person,
        key=key,
        request_hash=_hash(request),
        status_code=200,
        body=stored,
        at=clock.now(),
    )
    return stored


def _remembered(request: Request, person: User, key: str) -> dict[str, Any] | None:
    records = IdempotencyRecord.objects.filter(user=person, key=key)
    records.filter(at__lt=clock.now() - KEPT).delete()
    record = records.first()
    if record is None:
        return None
    if record.request_hash != _hash(request):
        raise KeyReusedError("This Idempotency-Key was used for another request; take a new one.")
    body: dict[str, Any] = record.body
    return body


def _one_at_a_time(person: User, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [key, person.pk])


def _hash(request: Request) -> str:
    text = json.dumps([request.method, request.path, request.data], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
