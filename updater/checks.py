"""Django system checks: what must be true before the product serves or works."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from updater.database_role.judging import SUPERUSER, judge

MIN_SECRET_KEY_LENGTH = 50


@register(deploy=True)
def check_no_faults(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **kwargs: Any,  # noqa: ANN401, ARG001
) -> list[CheckMessage]:
    """Refuse to be deployed with processes that die on purpose."""
    if not settings.FAULTS:
        return []
    return [Error("FAULTS is set: processes die on purpose.", id="updater.E002")]


@register(deploy=True)
def check_secret_key(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **kwargs: Any,  # noqa: ANN401, ARG001
) -> list[CheckMessage]:
    """Refuse a short signing key: sessions and CSRF tokens hang on it."""
    if len(settings.SECRET_KEY) >= MIN_SECRET_KEY_LENGTH:
        return []
    return [Error("SECRET_KEY is shorter than 50 characters.", id="updater.E001")]


@register(Tags.database, deploy=True)
def check_database_role(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    databases: Sequence[str] | None = None,
    **kwargs: Any,  # noqa: ANN401, ARG001
) -> list[CheckMessage]:
    """Refuse a role that could switch off what guards the audit trail (`check --deploy --database default`)."""
    found: list[CheckMessage] = []
    for name in databases or ():
        with connections[name].cursor() as cursor:
            judgement = judge(cursor)
        for fault in judgement.faults:
            text = f"The database role '{judgement.role}' {fault}."
            identity = "updater.E003" if fault == SUPERUSER else "updater.E004"
            found.append(Error(text, hint=_HINT, id=identity))
    return found


_HINT = "Web and workers need a role of their own; manage.py prepare_database makes it."
