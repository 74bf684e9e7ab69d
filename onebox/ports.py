"""Ports on the loopback: which are free."""

import socket

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether somebody could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether somebody listens there now."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def first_free(count: int, *, start: int) -> list[int]:
    """Return the first free ports from `start` on; fewer if the numbers run out."""
    ports: list[int] = []
    for port in range(start, 65536):
        if len(ports) == count:
            break
        if is_free(port):
            ports.append(port)
    return ports
