"""The demo's image registry: the OCI distribution API over loopback HTTP, with pushes and faults to order."""

from onebox.world.registry.access import Account, Anonymous, Basic, Bearer
from onebox.world.registry.content import Build, Content
from onebox.world.registry.faults import Fault, Faults
from onebox.world.registry.server import RegistryServer
from onebox.world.registry.world import RegistryWorld

__all__ = [
    "Account",
    "Anonymous",
    "Basic",
    "Bearer",
    "Build",
    "Content",
    "Fault",
    "Faults",
    "RegistryServer",
    "RegistryWorld",
]
