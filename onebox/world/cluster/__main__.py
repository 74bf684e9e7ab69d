"""Run the API server by itself: `python -m onebox.world.cluster --accounts FILE --kubeconfigs FOLDER`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from onebox.world.cluster import access
from onebox.world.cluster.server import ClusterServer


def main(arguments: Sequence[str]) -> None:
    """Serve until the process is asked to end; a kubeconfig per account is written first."""
    options = _parser().parse_args(arguments)
    accounts = access.from_json(json.loads(options.accounts.read_text()))
    server = ClusterServer(
        accounts,
        folder=options.state,
        port=options.port,
        bookmark_seconds=options.bookmark_seconds,
    )
    for account in accounts:
        server.write_kubeconfig(options.kubeconfigs / f"{account.name}.kubeconfig", account)
    server.serve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--accounts", type=Path, required=True, help="JSON list of accounts")
    parser.add_argument("--kubeconfigs", type=Path, required=True, help="folder to write them to")
    parser.add_argument("--state", type=Path, help="folder that keeps the objects")
    parser.add_argument("--bookmark-seconds", type=float, default=60)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
