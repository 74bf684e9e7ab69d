"""Clients of the outside world for one unit of work: made when first needed, remembered until its end.

Only workers open connections: the web process holds no credentials and never imports a client.
"""

from updater.connections.opening import Connections

__all__ = ["Connections"]
