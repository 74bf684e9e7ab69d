"""Run Argo CD by itself: `python -m onebox.world.argocd --kubeconfig FILE --state FOLDER`."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from onebox.world.argocd.assembly import build
from onebox.world.argocd.settings import Settings
from onebox.world.cluster import kubeconfig


def main(arguments: Sequence[str]) -> None:
    """Work until the process is asked to end."""
    options = _parser().parse_args(arguments)
    settings = Settings.from_file(options.settings) if options.settings else Settings.for_demo()
    connection = kubeconfig.read(options.kubeconfig)
    controller = build(connection, options.state, settings, pull_secret=options.pull_secret)
    asked_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_end.set())
    controller.start()
    asked_to_end.wait()
    controller.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="as the cluster wrote it")
    parser.add_argument("--state", type=Path, required=True, help="folder for mirrors and pods")
    parser.add_argument("--settings", type=Path, help="JSON with fields of Settings to change")
    parser.add_argument("--pull-secret", default="", help="Secret that opens the registries")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
