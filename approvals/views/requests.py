"""What a guarded view receives: a request of a known person with an actor and an id."""

from django.contrib.auth.models import User
from django.http import HttpRequest

from approvals.policy import Policy
from updater.audit import Actor


class PersonRequest(HttpRequest):
    """A request as the middleware hands it to a view that is not public; a type, never constructed."""

    user: User
    actor: Actor
    policy: Policy
    request_id: str
