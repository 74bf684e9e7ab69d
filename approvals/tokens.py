"""API tokens: made once, shown once, kept as a hash, found by it."""

import hashlib
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from approvals.models import ApiToken
from updater import audit, clock
from updater.audit import Actor, AuditKind

PREFIX = "cs_"  # so that secret scanners recognise a token of ours
LAST_USED_EVERY_SECONDS = 60


def issue(*, user: User, name: str, by: Actor) -> str:
    """Make a token for a person and return it: it is shown once and kept as a hash."""
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        ApiToken.objects.create(
            user=user, name=name, token_hash=_hash(token), created_at=clock.now()
        )
        audit.record(
            kind=AuditKind.TOKEN_CREATED,
            by=by,
            details={"username": user.get_username(), "name": name},
        )
    return token


def find(token: str) -> ApiToken | None:
    """Return the token's row if it still opens anything: not expired, not revoked, person active."""
    at = clock.now()
    row = (
        ApiToken.objects.select_related("user")
        .prefetch_related("user__groups")  # every question of rights reads them
        .filter(Q(expires_at=None) | Q(expires_at__gt=at), token_hash=_hash(token))
        .filter(revoked_at=None, user__is_active=True)
        .first()
    )
    if row is not None and (
        row.last_used_at is None
        or (at - row.last_used_at).total_seconds() > LAST_USED_EVERY_SECONDS
    ):
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=at)
    return row


def _hash(token: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()
