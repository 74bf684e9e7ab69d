"""The life of the demo's world: it begins once, then a team builds, for ever. `python -m onebox.world.story FOLDER`."""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from onebox.world import place, seeding
from onebox.world.builds import PretendCI
from onebox.world.content import IMAGES, Image
from onebox.world.git_host import Repositories

# What the team builds next; a branch build must never become a candidate.
TIMETABLE = (
    ("acme/backend", "main"),
    ("acme/backend", "branch"),
    ("acme/catalog", "main"),
    ("acme/payments", "main"),
    ("acme/orders", "main"),
    ("acme/delivery", "main"),
    ("acme/accounts", "main"),
    ("acme/search", "main"),
    ("acme/frontend", "main"),
    ("acme/mailer", "main"),
    ("acme/checkout-worker", "main"),
    ("acme/frontend", "branch"),
    ("acme/checkout-web", "main"),
)
AT_ONCE = 8  # so that the first visitor finds something to decide of every kind
_IMAGES = {image.repository: image for image in IMAGES}


def main(arguments: Sequence[str]) -> None:
    """Begin the world if it is new, then build until the process is asked to end."""
    options = _parser().parse_args(arguments)
    here = place.find(options.folder)
    repositories = Repositories(here.repositories)
    ci = PretendCI(repositories, git_url=here.git_url, registry_url=f"http://{here.registry}")
    seeding.seed(here, repositories, ci)
    live(ci, pause=lambda: time.sleep(options.pause_seconds))


def live(ci: PretendCI, *, pause: Callable[[], None]) -> None:
    """Build by the timetable: the first few at once, the others after a pause each."""
    for number, (repository, branch) in enumerate(_turns()):
        if number >= AT_ONCE:
            pause()
        tag = _build(ci, _IMAGES[repository], branch)
        sys.stdout.write(f"pushed {repository}:{tag}\n")
        sys.stdout.flush()


def _turns() -> Iterator[tuple[str, str]]:
    return itertools.cycle(TIMETABLE)


def _build(ci: PretendCI, image: Image, branch: str) -> str:
    return ci.build(image, crashes=image.crashes) if branch == "main" else ci.build_branch(image)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the world is kept")
    parser.add_argument("--pause-seconds", type=float, default=30)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
