"""Run the registry by itself: `python -m onebox.world.registry --port 5000 --state FOLDER`.

Push to it with: curl -d '{"repository": "acme/frontend", "tag": "main-e1f492f"}' http://127.0.0.1:5000/_push
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from onebox.world.registry.access import Access, Account, Anonymous, Basic, Bearer
from onebox.world.registry.content import Content
from onebox.world.registry.server import RegistryServer
from onebox.world.registry.world import RegistryWorld


def main(arguments: Sequence[str]) -> None:
    """Serve until the process is asked to end; the address is the first line of output."""
    options = _parser().parse_args(arguments)
    world = RegistryWorld(
        Content(options.state),
        access=_access(options.auth, options.accounts),
        latency_seconds=options.latency_seconds,
    )
    server = RegistryServer(world, port=options.port)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.serve()


def _access(kind: str, file: Path | None) -> Access:
    lines = file.read_text(encoding="utf-8").split() if file else []
    accounts = [Account(*line.split(":", 1)) for line in lines]
    if kind == "basic":
        return Basic(*accounts)
    if kind == "bearer":
        return Bearer(*accounts, clock=time.monotonic, is_public=not accounts)
    return Anonymous()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--state", type=Path, help="folder that keeps what was pushed")
    parser.add_argument("--auth", choices=["anonymous", "basic", "bearer"], default="anonymous")
    parser.add_argument("--accounts", type=Path, help="file with a user:password a line")
    parser.add_argument("--latency-seconds", type=float, default=0.0)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
