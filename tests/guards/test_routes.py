"""Every route with every role against this checked-in matrix; a route without a row fails (W13)."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests import builders

EVERYONE = frozenset({"anonymous", "outsider", "viewer", "sre", "auditor", "administrator"})
SIGNED_IN = EVERYONE - {"anonymous"}
KNOWN = SIGNED_IN - {"outsider"}
APPROVERS = frozenset({"sre"})
ASKERS = frozenset({"sre", "viewer"})
COMMENTERS = frozenset({"sre", "viewer"})
TRAIL_READERS = frozenset({"sre", "auditor", "administrator"})

# route name → method, who gets past the door
MATRIX = {
    "approvals:pending-list": ("get", KNOWN),
    "approvals:bulk-review": ("post", APPROVERS),
    "approvals:bulk-decide": ("post", APPROVERS),
    "approvals:promotion": ("get", KNOWN),
    "approvals:approve": ("post", APPROVERS),
    "approvals:reject": ("post", APPROVERS),
    "approvals:retry": ("post", APPROVERS),
    "approvals:withdraw": ("post", APPROVERS),
    "approvals:withdraw-approval": ("post", APPROVERS),
    "approvals:abort": ("post", APPROVERS),
    "approvals:emergency": ("post", APPROVERS),
    "approvals:review-list": ("get", KNOWN),
    "approvals:review": ("post", APPROVERS),
    "approvals:execution": ("get", KNOWN),
    "approvals:roll-back": ("get", APPROVERS),
    "approvals:request-withdraw": ("post", ASKERS),
    "approvals:refusal-lift": ("get", APPROVERS),
    "approvals:application-releases": ("get", KNOWN),
    "approvals:tag-request": ("get", ASKERS),
    "approvals:look": ("post", APPROVERS),
    "approvals:finding": ("post", APPROVERS),
    "approvals:recovery": ("get", KNOWN),
    "approvals:runbook-list": ("get", KNOWN),
    "approvals:runbook": ("get", KNOWN),
    "approvals:application-list": ("get", KNOWN),
    "approvals:application": ("get", KNOWN),
    "approvals:release-list": ("get", KNOWN),
    "approvals:policy": ("get", KNOWN),
    "approvals:hold-list": ("get", KNOWN),
    "approvals:hold": ("get", APPROVERS),
    "approvals:release": ("post", APPROVERS),
    "approvals:comment": ("post", COMMENTERS),
    "approvals:audit-list": ("get", TRAIL_READERS),
    "approvals:audit-export": ("get", TRAIL_READERS),
    "approvals:sign-in": ("get", EVERYONE),
    "approvals:sign-out": ("post", SIGNED_IN),
    "approvals:theme": ("post", EVERYONE),
    "approvals:events": ("get", KNOWN),
    "approvals:alive": ("get", EVERYONE),
    "approvals:ready": ("get", EVERYONE),
    "api:schema": ("get", KNOWN),
    "api:application-list": ("get", KNOWN),
    "api:promotion-list": ("get", KNOWN),
    "api:promotion": ("get", KNOWN),
    "api:promotion-approve": ("post", APPROVERS),
    "api:promotion-reject": ("post", APPROVERS),
    "api:promotion-retry": ("post", APPROVERS),
    "api:promotion-withdraw": ("post", ASKERS),
    "api:promotion-abort": ("post", APPROVERS),
    "api:promotion-withdraw-approval": ("post", APPROVERS),
    "api:policy": ("get", KNOWN),
    "api:promotion-emergency": ("post", APPROVERS),
    "api:review-list": ("get", KNOWN),
    "api:review": ("post", APPROVERS),
    "api:recovery": ("get", KNOWN),
    "api:promotion-look": ("post", APPROVERS),
    "api:promotion-finding": ("post", APPROVERS),
    "api:promotion-comments": ("post", COMMENTERS),
    "api:hold-list": ("get", KNOWN),
    "api:hold-release": ("post", APPROVERS),
    "api:promotion-roll-back": ("post", APPROVERS),
    "api:tag-requests": ("post", ASKERS),
    "api:request": ("get", KNOWN),
    "api:request-withdraw": ("post", ASKERS),
    "api:audit-event-list": ("get", TRAIL_READERS),
}
WITH_APPLICATION = {
    "approvals:application",
    "approvals:application-releases",
    "approvals:tag-request",
    "api:tag-requests",
}
WITH_PROMOTION_ID = {
    "approve",
    "reject",
    "retry",
    "withdraw",
    "execution",
    "promotion",
    "roll-back",
    "request-withdraw",
    "withdraw-approval",
    "abort",
    "emergency",
    "look",
    "finding",
    "comment",
}


@pytest.fixture
def cast(
    sre: User, viewer: User, auditor: User, administrator: User, outsider: User
) -> dict[str, User | None]:
    return {
        "anonymous": None,
        "outsider": outsider,
        "viewer": viewer,
        "sre": sre,
        "auditor": auditor,
        "administrator": administrator,
    }


def _names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"
        else:
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _names(pattern, namespace + inner)


# What an address names, where it is neither an Application nor a promotion.
OTHER_ARGUMENTS = {
    "approvals:runbook": "unknown",
    "approvals:review": 1,
    "api:review": 1,
    "approvals:refusal-lift": 1,
    "approvals:release": 1,
    "api:hold-release": 1,
}


def _address(name: str, promotion) -> str:
    application = promotion.application
    if name in OTHER_ARGUMENTS:
        return reverse(name, args=[OTHER_ARGUMENTS[name]])
    if name in WITH_APPLICATION:
        return reverse(name, args=[application.namespace, application.name])
    if name in ("api:request", "api:request-withdraw"):
        return reverse(name, args=[promotion.pk])
    if name.startswith("api:promotion") and name != "api:promotion-list":
        return reverse(name, args=[promotion.pk])
    if name.removeprefix("approvals:") in WITH_PROMOTION_ID:
        return reverse(name, args=[promotion.pk])
    return reverse(name)


def _is_past_the_door(response) -> bool:
    to_sign_in = response.status_code == 302 and response.url.startswith("/sign-in/?")
    return not to_sign_in and response.status_code not in (401, 403)


def test_routes_all_have_a_row_in_the_matrix():
    assert sorted(_names(get_resolver())) == sorted(MATRIX)


@pytest.mark.parametrize("name", MATRIX)
def test_w13_route_lets_in_exactly_the_roles_of_the_matrix(name: str, cast):
    promotion = builders.make_promotion()
    method, allowed = MATRIX[name]

    let_in = set()
    for role, person in cast.items():
        client = Client()
        if person is not None:
            client.force_login(person)
        response = getattr(client, method)(_address(name, promotion))
        if _is_past_the_door(response):
            let_in.add(role)

    assert let_in == allowed


def test_w13_disabled_person_is_let_in_nowhere(sre: User, client: Client):
    promotion = builders.make_promotion()
    client.force_login(sre)
    User.objects.filter(pk=sre.pk).update(is_active=False)

    let_in = {
        name
        for name, (method, _) in MATRIX.items()
        if _is_past_the_door(getattr(client, method)(_address(name, promotion)))
    }

    assert let_in == {name for name, (_, allowed) in MATRIX.items() if allowed == EVERYONE}
