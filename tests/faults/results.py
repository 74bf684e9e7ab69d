"""What fault tests showed: a file that the processes of `make faults` write side by side, and its tables are made from.

A line is a result. A later one of the same case stands for it, so a part may be run again by itself.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from onebox.environment import ROOT
from tests.faults.driver import Fault, Outcome
from tests.faults.nth_call import Loop
from tests.faults.playing import Verdict

PATH = ROOT / ".countersign" / "faults" / "results.jsonl"
WANTED = "FAULTS_REPORT"  # set by `make faults`


@dataclass
class Results:
    """All that is known, each case once."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)  # fault →
    loops: dict[str, Loop] = field(default_factory=dict)  # service and kind →
    verdicts: dict[str, Verdict] = field(default_factory=dict)  # seed →
    speeds: dict[str, tuple[str, str]] = field(default_factory=dict)  # what → took, aim


def keep_outcome(outcome: Outcome) -> None:
    """Keep what came of one crash point with one fault."""
    _keep("outcome", asdict(outcome))


def keep_loop(loop: Loop) -> None:
    """Keep what came of all runs of one service and kind."""
    _keep("loop", asdict(loop))


def keep_verdict(verdict: Verdict) -> None:
    """Keep what a schedule showed."""
    _keep("verdict", {**asdict(verdict), "history": str(verdict.history)})


def keep_speed(what: str, took: str, aim: str) -> None:
    """Keep one figure of recovery."""
    _keep("speed", {"what": what, "took": took, "aim": aim})


def read(path: Path = PATH) -> Results:
    """Return everything that was kept; nothing was, if there is no file."""
    found = Results()
    for kind, told in _lines(path):
        if kind == "outcome":
            fault = Fault(**told.pop("fault"))
            found.outcomes[str(fault)] = Outcome(fault, **told)
        elif kind == "loop":
            found.loops[f"{told['service']} {told['kind']}"] = Loop(**told)
        elif kind == "verdict":
            told["history"] = Path(told["history"])
            found.verdicts[str(told["seed"])] = Verdict(**told)
        else:
            found.speeds[told["what"]] = (told["took"], told["aim"])
    return found


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in text.splitlines():
        kind, told = json.loads(line)
        yield kind, told


def _keep(kind: str, told: dict[str, Any]) -> None:
    if not os.environ.get(WANTED):
        return
    PATH.parent.mkdir(parents=True, exist_ok=True)
    with PATH.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed: two processes never mix their lines
        file.write(json.dumps([kind, told]) + "\n")
