"""Schedules from a seed: what people, builds, strangers and the nemesis do, and when; the same seed gives the same.

A step says who does what to which Application or process. What that is at the moment (which promotion is open, which
seal stands) is known only when it is done; the history tells.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

APPROVERS = ("mei", "sam", "ida")
OPERATOR = "ada"
BUILDER, STRANGER, NEMESIS = "builds", "stranger", "nemesis"

# What is done how often, in parts.
_BY_APPROVERS = {"approve": 20, "reject": 1, "take_back": 2}
_BY_OPERATOR = {"hold": 3, "release": 4, "abort": 2, "retry": 3, "withdraw": 1, "roll_back": 2}
_BY_BUILDS = {"push": 10, "push_again": 2}
_BY_STRANGER = {"commit_beside": 4, "commit_same_file": 3, "commit_our_value": 1}
FAULTS = (
    "kill",
    "pause",
    "git_cut",
    "git_mute",
    "git_down",
    "database_mute",
    "database_cut",
    "postgres",
    "valkey",
    "clock",
    "kill_scan",
)


@dataclass(frozen=True)
class Size:
    """How much is to happen."""

    seconds: float = 8.0
    repositories: int = 2
    applications: int = 6
    faults: int = 6


@dataclass(frozen=True)
class Plan:
    """One Application: where it writes, and how many people must approve."""

    number: int
    repository: int
    file: str  # "own", or "shared": a values file with a key for each Application
    image: int
    quorum: int = 1
    method: str = "git"


@dataclass(frozen=True)
class Step:
    """One thing to do, `at` seconds after the start."""

    at: float
    who: str
    do: str
    on: int = 0  # the Application or process, counted modulo how many there are
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule:
    """Everything that one seed stands for."""

    seed: int
    size: Size
    applications: tuple[Plan, ...]
    steps: tuple[Step, ...]

    def of(self, who: str) -> list[Step]:
        """Return the steps of one client in order."""
        return [step for step in self.steps if step.who == who]

    @property
    def clients(self) -> list[str]:
        """Everybody who does something, except the nemesis."""
        return sorted({step.who for step in self.steps} - {NEMESIS})


def generate(seed: int, size: Size = Size()) -> Schedule:
    """Return the schedule of a seed."""
    dice = random.Random(seed)  # noqa: S311  reproducible is what it must be
    applications = tuple(_applications(dice, size))
    steps = [
        *_stream(dice, size, APPROVERS, _BY_APPROVERS, every=0.25),
        *_stream(dice, size, (OPERATOR,), _BY_OPERATOR, every=0.7),
        *_stream(dice, size, (BUILDER,), _BY_BUILDS, every=0.35),
        *_stream(dice, size, (STRANGER,), _BY_STRANGER, every=0.6),
        *_faults(dice, size),
    ]
    return Schedule(seed, size, applications, tuple(sorted(steps, key=lambda step: step.at)))


def _applications(dice: random.Random, size: Size) -> Iterator[Plan]:
    for number in range(size.applications):
        method = "argocd" if dice.random() < 0.15 else "git"
        yield Plan(
            number=number,
            repository=number % size.repositories,
            file="shared" if method == "git" and dice.random() < 0.5 else "own",
            # Some follow the same image, so one build is offered to several at once.
            image=dice.randrange(max(1, size.applications // 2)),
            quorum=2 if dice.random() < 0.3 else 1,
            method=method,
        )


def _stream(
    dice: random.Random, size: Size, who: tuple[str, ...], parts: Mapping[str, int], *, every: float
) -> Iterator[Step]:
    for client in who:
        at = dice.uniform(0, every)
        while at < size.seconds:
            yield Step(round(at, 3), client, _pick(dice, parts), dice.randrange(1000))
            at += dice.expovariate(1 / every)


def _faults(dice: random.Random, size: Size) -> Iterator[Step]:
    # The first faults come when something is on its way, and every kind gets its turn before one comes again.
    left: list[str] = []
    for number in range(size.faults):
        left = left or dice.sample(FAULTS, k=len(FAULTS))
        at = 1.0 + (size.seconds - 1.0) * (number + dice.random()) / size.faults
        about = {
            "bytes": dice.choice((0, 1, 40, 200, 1000)),
            "seconds": round(dice.uniform(0.3, 1.5), 2),
            "ahead": dice.choice((-3600, 3600)),
        }
        yield Step(round(at, 3), NEMESIS, left.pop(), dice.randrange(1000), about)


def _pick(dice: random.Random, parts: Mapping[str, int]) -> str:
    return dice.choices(list(parts), weights=list(parts.values()))[0]
