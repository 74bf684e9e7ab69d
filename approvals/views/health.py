"""Whether this process lives, and whether it can serve: for probes, without a session."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from approvals.permissions import Action, guarded


@require_safe
@guarded(Action.PUBLIC)
def alive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  a view takes it
    """Say that the process answers."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
@guarded(Action.PUBLIC)
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  a view takes it
    """Say whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")
