"""One round over what is offered and what is open; its steps in order."""

from approvals import approving, holds
from approvals.promotions import closing, following, opening
from updater import clock
from updater.audit import Actor
from updater.connections import Connections


def sweep(*, world: Connections, by: Actor) -> dict[str, int]:
    """Run all steps once; return how many promotions each touched."""
    at = clock.now()
    following.follow_policy(by=by, at=at)
    return {
        "withdrawn": closing.withdraw_orphans(by=by, at=at),
        "expired": closing.expire(by=by, at=at),
        "opened": opening.open_new(world=world, by=by, at=at),
        "holds_ended": holds.end_over(by=by, at=at),
        "approved": approving.approve_alone(at=clock.now()),
        "looked_at": following.look_again(world=world, by=by, at=at),
    }
