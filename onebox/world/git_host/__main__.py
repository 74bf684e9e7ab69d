"""Run the git host by itself: `python -m onebox.world.git_host --state FOLDER --port 8418`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from onebox.world.git_host.server import GitHost


def main(arguments: Sequence[str]) -> None:
    """Serve until the process is asked to end; the address is the first line of output."""
    options = _parser().parse_args(arguments)
    lines = options.accounts.read_text(encoding="utf-8").split() if options.accounts else []
    host = GitHost(options.state, dict(line.split(":", 1) for line in lines), port=options.port)
    sys.stdout.write(f"{host.url}\n")
    sys.stdout.flush()
    host.serve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--state", type=Path, required=True, help="folder of the repositories")
    parser.add_argument("--accounts", type=Path, help="file with a user:password a line")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
