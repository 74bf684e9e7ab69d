"""Whatever question of a promotion goes wrong, and however: one commit, every promise kept, and it ends well."""

import pytest

from tests.faults import nth_call, results
from tests.faults.proxies import HTTP, KINDS

# Reaching nobody and an unreadable answer are one to a client of PostgreSQL: the connection is gone.
OF_DATABASES = ("refused", "reset", "lost", "garbage")
EVERY = [
    (service, kind)
    for service in nth_call.SERVICES
    for kind in KINDS
    if service in HTTP or kind in OF_DATABASES
]


def passes(rig, service: str, kind: str, **how) -> None:
    loop = nth_call.loop(rig, service, kind, **how)
    results.keep_loop(loop)
    assert loop.failures == []
    assert loop.runs > 0


@pytest.mark.parametrize(
    ("service", "kind", "step"), [("git", "lost", 4), ("database", "lost", 60)]
)
def test_promotion_whose_nth_answer_is_lost_is_written_once_and_ends_well(
    proxied_rig, service, kind, step
):
    passes(proxied_rig, service, kind, step=step)


@pytest.mark.slow
@pytest.mark.parametrize(("service", "kind"), EVERY)
def test_promotion_whose_nth_question_goes_wrong_is_written_once_and_ends_well(
    proxied_rig, service, kind, request
):
    passes(proxied_rig, service, kind, step=request.config.getoption("--step"))
