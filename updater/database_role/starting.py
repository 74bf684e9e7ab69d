"""The refusal to start with a database role that could change the trail: web, workers and beat ask here first."""

import logging
import sys
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from updater.database_role.judging import Judgement, judge

ANSWER_SECONDS = 5  # how long a start waits for a server that says nothing

logger = logging.getLogger(__name__)


class UnfitRoleError(OperationalError):
    """A connection was made with a role that must not be used."""


def refuse_unfit_role() -> None:
    """End this process, with a sentence, if its database role could change the trail.

    A server that does not answer ends nothing, as pages and probes say so themselves, and workers and beat go on when
    it is back. But no connection is used before its role was judged.
    """
    try:
        refusal = look().refusal
    except psycopg.OperationalError as error:
        _judge_later(error)
        return
    if refusal:
        sys.exit(f"Countersign does not start. {refusal}")


def look() -> Judgement:
    """Judge the role of DATABASE_URL, on a connection of its own: it holds up no pool and no event loop for long.

    Raises:
        psycopg.OperationalError: the server gives no answer.
    """
    given = connections[DEFAULT_DB_ALIAS].get_connection_params()
    with (
        psycopg.connect(**{**given, "connect_timeout": ANSWER_SECONDS}) as asking,
        asking.cursor() as cursor,
    ):
        return judge(cursor)


def _judge_later(error: psycopg.OperationalError) -> None:
    logger.warning(
        "the database does not answer; its role is judged at the first connection",
        extra={"error": str(error)},
    )
    connection_created.connect(judge_first_connection)


def judge_first_connection(*, connection: BaseDatabaseWrapper, **_: Any) -> None:  # noqa: ANN401
    """Judge the role on this process's first connection; whoever asked for the connection gets none otherwise.

    Raises:
        UnfitRoleError: it could change the trail.
    """
    try:
        _judge(connection)
    except BaseException:
        connection.close()  # Django would use it for the next query
        raise
    connection_created.disconnect(judge_first_connection)


def _judge(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        refusal = judge(cursor).refusal
    if refusal:
        logger.critical("the database role is refused", extra={"reason": refusal})
        raise UnfitRoleError(refusal)
