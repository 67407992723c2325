"""A test file as plain values: timed events, and what has to be so at which time. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from rules.loading.nodes import Node, Problem
from rules.simulation.events import Event
from rules.simulation.simulation import Simulation

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
Make = Callable[[Simulation, int], Sequence[Event]]  # events of the present instant, the n-th of those repeated


class Step(NamedTuple):
    """Something that happens so long after the start; `node` is where the file says so."""

    at: timedelta
    node: Node
    make: Make
    number: int = 1


class Wanted(NamedTuple):
    """The fields that one incident, page or entry has to have; `timeline` are entries of an incident."""

    node: Node
    fields: dict[str, Any]
    timeline: tuple["Wanted", ...] = ()


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be so at one time; None where the test says nothing about it.

    All but the entries of timelines are complete lists: whatever is not in them must not be there.
    """

    at: timedelta
    node: Node
    incidents: tuple[Wanted, ...] | None = None
    would_declare: tuple[Wanted, ...] | None = None  # by rules in shadow mode
    pages: tuple[Wanted, ...] | None = None
    escalations: tuple[Wanted, ...] | None = None
    timeline: tuple[Wanted, ...] = ()
    no_timeline: tuple[Wanted, ...] = ()


class Given(NamedTuple):
    """The calendar of a rotation in place of the one that its rules name: its text, or a file beside the test file."""

    rotation: str
    node: Node

    @property
    def is_text(self) -> bool:
        """Whether the calendar stands in the test file itself."""
        return self.node.text.lstrip().upper().startswith("BEGIN:VCALENDAR")


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """One test: a simulation of its own; with `todo` it is known to fail, and why."""

    __test__ = False  # no test of the project itself

    name: str
    node: Node
    start: datetime
    steps: tuple[Step, ...]
    expectations: tuple[Expectation, ...]
    todo: str = ""


class TestFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of tests; without `rule_files` the rules are those of the configuration."""

    __test__ = False

    name: str
    rule_files: tuple[str, ...]
    calendars: tuple[Given, ...] = ()
    tests: tuple[Test, ...]
    problems: tuple[Problem, ...] = ()


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation that does not hold: the place in the file, what was wanted, what there was, and why."""

    line: int
    column: int
    at: str  # after the start: `6m`
    subject: str  # incidents, pages, escalations, timeline, event
    expected: str = ""
    got: str = ""
    why: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a test went; a `todo` that passes is `passes_now`."""

    file: str
    line: int
    name: str
    outcome: str  # passed, failed, todo, passes_now
    todo: str = ""
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
