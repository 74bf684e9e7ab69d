"""The door: `python -m onebox demo|up|manage`.

Plain Python, not a Django command: the settings need servers that only run once this has started them.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from onebox import demo, environment, product
from onebox.console import Console
from onebox.postgres import PostgresStartError
from onebox.product import Onebox
from onebox.state import State, StateError
from onebox.supervisor import StartError, Supervisor, signals_as_interrupt
from onebox.valkey import ValkeyStartError

ANTICIPATED = (StateError, StartError, PostgresStartError, ValkeyStartError)


def main(arguments: list[str] | None = None) -> int:
    """Run the command of the command line and return the exit code."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)
    try:
        return int(options.run(options))
    except ANTICIPATED as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m onebox", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run, words in (
        ("demo", _demo, "the product and a living world to try it on"),
        ("up", _up, "the product against the cluster in KUBECONFIG"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(run=run, fresh=False)
        command.add_argument("--port", type=int, default=8000, help="of the web pages (8000)")
        _add_state(command, name)
        if name == "demo":  # real approvals and their trail are not erased by a flag
            command.add_argument("--fresh", action="store_true", help="forget the last demo first")
    manage = commands.add_parser("manage", help="run a manage.py command inside a running onebox")
    manage.set_defaults(run=_manage)
    _add_state(manage, "up")
    manage.add_argument("command", nargs=argparse.REMAINDER, help="as after manage.py")
    return parser


def _add_state(command: argparse.ArgumentParser, name: str) -> None:
    default = Path(".countersign") / name
    command.add_argument(
        "--state", type=Path, default=default, help=f"where everything is kept ({default})"
    )


def _demo(options: argparse.Namespace) -> int:
    return _supervise(options, demo.bring_up)


def _up(options: argparse.Namespace) -> int:
    looked = subprocess.run([sys.executable, "-m", "onebox.cluster_access"], check=False)
    return looked.returncode or _supervise(options, product.bring_up)


def _manage(options: argparse.Namespace) -> int:
    environment.become_manage_command(State(options.state), options.command)


def _supervise(options: argparse.Namespace, bring_up: Callable[[Onebox], None]) -> int:
    console = Console()
    state = State(options.state)
    state.claim(fresh=options.fresh)
    product.refuse_taken_port(options.port)
    supervisor = Supervisor(console)
    env = environment.prepare(state, url=f"http://localhost:{options.port}")
    with signals_as_interrupt():
        try:
            bring_up(Onebox(state, options.port, console, supervisor, env))
            supervisor.watch()
        except KeyboardInterrupt:
            console.say("stopping")
        finally:
            supervisor.stop()
            state.release()
    console.say("all stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
