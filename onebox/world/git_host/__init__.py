"""The demo's git host: bare repositories behind git's own smart HTTP protocol, with pages to read commits on."""

from onebox.world.git_host.faults import Faults
from onebox.world.git_host.repositories import HostedCommit, Repositories
from onebox.world.git_host.server import GitHost

__all__ = ["Faults", "GitHost", "HostedCommit", "Repositories"]
