"""Whose turns a test takes from which calendar: those that a test file gives in place of an address. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from incidents.calendars import with_turns
from incidents.errors import TocsinError
from incidents.oncall import Rotation
from rules.loading.context import ReadCalendar
from rules.loading.mends import did_you_mean
from rules.loading.nodes import Problem, problem_at
from rules.model import RuleSet
from rules.testing.model import START, TestFile


def span_of(file: TestFile) -> tuple[datetime, datetime]:
    """Return when the first test of a file begins, and when the last one ends."""
    starts = [test.start for test in file.tests] or [START]
    last = [step.at for test in file.tests for step in test.steps[-1:]]
    last += [expected.at for test in file.tests for expected in test.expectations[-1:]]
    return min(starts), max(starts) + max(last, default=timedelta()) + timedelta(days=1)


def with_given(
    rule_set: RuleSet, file: TestFile, texts: Mapping[str, str | bytes], read_calendar: ReadCalendar
) -> tuple[RuleSet, tuple[Problem, ...]]:
    """Return the rule set with the turns of the calendars that a test file gives, and what is wrong with those.

    `texts` holds those that stand in files of their own, by their rotations.
    """
    problems: list[Problem] = []
    rotations = dict(rule_set.oncall.rotations)
    for given in file.calendars:
        rotation = rotations.get(given.rotation)
        if rotation is None:
            message = f"there is no rotation {given.rotation[:60]!r}"
            problems.append(problem_at(given.node, "E309", message, did_you_mean(given.rotation, rotations)))
        elif not any(layer.calendar is not None for layer in rotation.layers):
            message = f"the rotation {given.rotation} follows no calendar"
            problems.append(problem_at(given.node, "E605", message, "leave its calendar away"))
        else:
            text = given.node.text if given.is_text else texts[given.rotation]
            try:
                rotations[given.rotation] = _turned(rotation, rule_set, text, read_calendar)
            except TocsinError as error:
                problems.append(problem_at(given.node, "E409", str(error)))
    return replace(rule_set, oncall=replace(rule_set.oncall, rotations=rotations)), tuple(problems)


def _turned(rotation: Rotation, rule_set: RuleSet, text: str | bytes, read_calendar: ReadCalendar) -> Rotation:
    people = rule_set.oncall.people
    layers = tuple(
        layer if layer.calendar is None else with_turns(layer, people, read_calendar(text, layer.timezone, START))
        for layer in rotation.layers
    )
    return replace(rotation, layers=layers)
