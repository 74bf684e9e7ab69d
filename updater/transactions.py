"""Transactions that PostgreSQL gave up for another's sake are run again: nothing of them had happened."""

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

logger = logging.getLogger(__name__)

MAX_TRIES = 3
PAUSE_SECONDS = 0.05
_GIVEN_UP = {"40P01": "deadlock", "40001": "serialisation failure"}
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def repeated(work: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Run `work`, which is one transaction and touches nothing else, at most three times.

    Inside somebody else's transaction it runs once: only the whole of that can be run again.
    """

    @functools.wraps(work)
    def run(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        for attempt in range(1, MAX_TRIES):
            try:
                return work(*arguments, **named)
            except OperationalError as error:
                reason = _GIVEN_UP.get(getattr(error.__cause__, "sqlstate", None) or "")
                if reason is None or connection.in_atomic_block:
                    raise
                logger.info("transaction runs again", extra={"reason": reason, "attempt": attempt})
                pause = PAUSE_SECONDS * 2**attempt
                time.sleep(random.uniform(0, pause))  # noqa: S311  keeps two losers apart
        return work(*arguments, **named)

    return run
