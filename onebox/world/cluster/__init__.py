"""The demo's Kubernetes API server: a real protocol over loopback HTTP, so a real client works unmodified."""

from onebox.world.cluster.access import Account, Rule, administrator, reader, writer
from onebox.world.cluster.faults import Fault, Faults
from onebox.world.cluster.server import ClusterServer

__all__ = [
    "Account",
    "ClusterServer",
    "Fault",
    "Faults",
    "Rule",
    "administrator",
    "reader",
    "writer",
]
