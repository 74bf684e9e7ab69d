"""The tables of docs/reliability.md, made from what the fault tests showed, by `make faults` in the end."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from onebox.environment import ROOT
from tests.faults import driver, nth_call, results
from tests.faults.driver import Outcome
from tests.faults.nth_call import Loop
from tests.faults.playing import Verdict
from tests.faults.proxies import KINDS
from updater import crashpoints

DOCUMENT = ROOT / "docs" / "reliability.md"


def write() -> None:
    """Put a table of everything that was run into the document."""
    found = results.read()
    if found.outcomes:
        replace(DOCUMENT, "crash points", table([*found.outcomes.values()]))
    if found.verdicts:
        replace(DOCUMENT, "schedules", schedules([*found.verdicts.values()]))
    if found.loops:
        replace(DOCUMENT, "nth call", table_of_loops([*found.loops.values()]))
    if found.speeds:
        replace(DOCUMENT, "speed", speeds(found.speeds))


def replace(path: Path, name: str, text: str, *, by: str = "make faults") -> None:
    """Replace what stands between the marks of this name."""
    begin, end = f"<!-- {name}: written by {by} -->", f"<!-- {name}: end -->"
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
    lines = [
        "| # | point | " + " | ".join(driver.ACTIONS) + " |",
        "|---|---|" + "---|" * len(driver.ACTIONS),
    ]
    for point in present:
        mine = [one for one in outcomes if one.fault.point == point]
        cells = " | ".join(_cell([o for o in mine if o.fault.action == a]) for a in driver.ACTIONS)
        lines.append(f"| {mine[0].fault.place} | `{point}` | {cells} |")
    return "\n".join([*lines, "", *_summary(outcomes)])


def schedules(verdicts: Sequence[Verdict]) -> str:
    """Return what many schedules showed together."""
    faults = Counter(name for verdict in verdicts for name in verdict.faults)
    answers = sum((Counter(verdict.operations) for verdict in verdicts), Counter[str]())
    ends = sum((Counter(verdict.counts) for verdict in verdicts), Counter[str]())
    bad = [str(verdict.seed) for verdict in verdicts if verdict.violations]
    quiet = [verdict.quiet_after for verdict in verdicts]
    red = f"; red seeds: {', '.join(bad)}." if bad else "."
    rows = {
        "promotions, by their end": _listed(ends),
        "operations of clients, by their answer": _listed(answers),
        "faults": _listed(faults),
        "from the last fault until a last build runs everywhere and nothing is left to do": (
            f"median {statistics.median(quiet):.0f} s, slowest {max(quiet):.0f} s"
        ),
    }
    return "\n".join(
        [
            f"{len(verdicts)} schedules, {len(verdicts) - len(bad)} with every promise kept{red}",
            "",
            "| what | figures |",
            "|---|---|",
            *(f"| {what} | {figures} |" for what, figures in rows.items()),
        ]
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))


def speeds(figures: Mapping[str, tuple[str, str]]) -> str:
    """Return the table of how fast executions recover."""
    rows = [f"| {what} | {took} | {aim} |" for what, (took, aim) in figures.items()]
    return "\n".join(["| after | until | aim |", "|---|---|---|", *rows])


def table_of_loops(loops: Sequence[Loop]) -> str:
    """Return the table of services and kinds: in how many runs a question went wrong."""
    lines = ["| service | " + " | ".join(KINDS) + " |", "|---|" + "---|" * len(KINDS)]
    for service in nth_call.SERVICES:
        mine = {loop.kind: loop for loop in loops if loop.service == service}
        cells = " | ".join(_count(mine.get(kind)) for kind in KINDS)
        lines.append(f"| {service} | {cells} |")
    total, bad = sum(loop.runs for loop in loops), sum(len(loop.failures) for loop in loops)
    return "\n".join([*lines, "", f"{total} runs, {bad} broken promises."])


def _count(loop: Loop | None) -> str:
    if loop is None:
        return ""
    part = f" (every {loop.step}th)" if loop.step > 1 else ""
    if loop.failures:
        return f"{loop.runs} runs, {len(loop.failures)} FAILED{part}"
    return f"{loop.runs} ✓{part}"


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
