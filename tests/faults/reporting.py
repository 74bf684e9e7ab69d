"""The table of crash points and faults in docs/reliability.md, written from what just ran."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from onebox.environment import ROOT
from tests.faults import driver
from tests.faults.driver import Outcome
from updater import crashpoints

DOCUMENT = ROOT / "docs" / "reliability.md"
WANTED = "FAULTS_REPORT"  # set by `make faults`
_outcomes: list[Outcome] = []


def remember(outcome: Outcome) -> None:
    """Keep one outcome for the table."""
    _outcomes.append(outcome)


def write() -> None:
    """Put the tables into the document, if that was asked for."""
    if os.environ.get(WANTED) and _outcomes:
        replace(DOCUMENT, "crash points", table(_outcomes))


def replace(path: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of this name."""
    begin, end = f"<!-- {name}: written by make faults -->", f"<!-- {name}: end -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    if not rest:
        raise LookupError(f"{path} has no place for {name}")
    after = rest.partition(end)[2]
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the table of points and actions, and what recovery took."""
    points = [*crashpoints.POINTS, driver.DURING_PUSH]
    present = [name for name in points if any(one.fault.point == name for one in outcomes)]
    present.sort(key=lambda name: next(o.fault.place for o in outcomes if o.fault.point == name))
    lines = ["| # | point | " + " | ".join(driver.ACTIONS) + " |", "|---|---|" + "---|" * 4]
    for point in present:
        mine = [one for one in outcomes if one.fault.point == point]
        cells = " | ".join(_cell([o for o in mine if o.fault.action == a]) for a in driver.ACTIONS)
        lines.append(f"| {mine[0].fault.place} | `{point}` | {cells} |")
    return "\n".join([*lines, "", *_summary(outcomes)])


def _cell(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    bad = sum(bool(one.violations) or one.status != "SUCCEEDED" for one in outcomes)
    slowest = max(one.recovery_seconds for one in outcomes)
    return f"{bad} of {len(outcomes)} FAILED" if bad else f"{len(outcomes)} ✓ {slowest:.1f} s"


def _summary(outcomes: Sequence[Outcome]) -> list[str]:
    good = sum(one.status == "SUCCEEDED" and not one.violations for one in outcomes)
    told = (
        f"{len(outcomes)} runs, {good} with one commit and every invariant kept. A cell: runs, and the seconds "
        "from the fault to the release's success (lease: 2 s; waits between attempts are skipped)."
    )
    lines = [told, "", "| fault | runs | median | slowest |", "|---|---|---|---|"]
    for action in driver.ACTIONS:
        took = [one.recovery_seconds for one in outcomes if one.fault.action == action]
        if took:
            middle, worst = statistics.median(took), max(took)
            lines.append(f"| {action} | {len(took)} | {middle:.1f} s | {worst:.1f} s |")
    return lines
