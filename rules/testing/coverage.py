"""Which rules, tiers and matchers tests have seen, and both ways: holding and not. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from rules.conditions import Match, flatten
from rules.deciding.incidents import labels_of
from rules.deciding.received import action_arrival
from rules.deciding.work import Arrival, Received
from rules.evaluate import Verdict
from rules.index import Hit, Matching
from rules.matchers import Matcher, test_of
from rules.model import Mode, Rule, RuleSet, Subject
from rules.simulation.events import Event
from rules.simulation.simulation import Simulation

HELD, MISSED = True, False


class RuleCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: how many of its points were seen, and which were not, in words."""

    rule: str
    file: str
    line: int
    seen: int
    points: int
    missing: tuple[str, ...]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """All rules, `percent` of all points."""

    rules: tuple[RuleCoverage, ...]

    @property
    def seen(self) -> int:
        """How many points were seen."""
        return sum(rule.seen for rule in self.rules)

    @property
    def points(self) -> int:
        """How many points there are."""
        return sum(rule.points for rule in self.rules)

    @property
    def percent(self) -> float:
        """What part of the points was seen; 100 where there is nothing to see."""
        return 100.0 * self.seen / self.points if self.points else 100.0


class _Point(NamedTuple):
    """One thing that a test can see: a rule matches, a tier holds or not, a matcher is true or false."""

    tier: int  # 0: the rule itself
    matcher: Matcher | None
    way: bool

    def missing(self) -> str:
        """Return what no test has seen, in words."""
        if self.matcher is not None:
            where = f"tier {self.tier}: " if self.tier else ""
            return f"{where}{self.matcher} was never {'true' if self.way else 'false'}"
        if not self.tier:
            return "nothing matched it"
        return f"tier {self.tier} {'never held' if self.way else 'was never seen not to hold'}"


class Seen:
    """Collects what the tests of one rule set see: their runs tell it."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._rule_set = rule_set
        self._matching = Matching(rule_set)
        self._values: dict[tuple[Subject, str], dict[str, None]] = {}  # of the labels that rules ask for
        self._asked = {(rule.on, matcher.name) for rule in rule_set.rules for matcher in rule.matchers}
        self._asks_of_incidents = any(on is Subject.INCIDENT for on, _ in self._asked)
        self._points: dict[str, set[_Point]] = {rule.id: set() for rule in rule_set.rules}
        self._inner = {rule.id: tuple(_inner(rule)) for rule in rule_set.rules}

    def feed(self, event: Event) -> None:
        """Take in the labels of an event."""
        if isinstance(event, Arrival):
            self._labels(Subject.ALERT, self._matching.match(event.alert.labels).labels)
        elif isinstance(event, Received) and event.incoming.action is not None:
            self._labels(Subject.ACTION, action_arrival(event, event.incoming.action).alert.labels)

    def look(self, simulation: Simulation) -> None:
        """Take in what a simulation knows by now: the labels of its heartbeats, and the fields of its incidents."""
        for state in simulation.store.heartbeats.values():
            self._labels(Subject.HEARTBEAT, {**state.labels, "heartbeat": state.id})
        if self._asks_of_incidents:
            for incident in simulation.store.incidents.values():
                self._labels(Subject.INCIDENT, labels_of(incident))

    def _labels(self, subject: Subject, labels: Mapping[str, str]) -> None:
        for on, name in self._asked:
            if on is subject:
                self._values.setdefault((on, name), {})[labels.get(name, "")] = None

    def hear(self, hit: Hit, verdict: Verdict, now: datetime) -> None:
        """Take in what a rule said."""
        del now
        points = self._points.setdefault(hit.rule.id, set())
        points.add(_Point(0, None, HELD))
        if verdict.tier is not None:
            points.add(_Point(verdict.tier.index, None, HELD))
        asked = {trace.tier for trace in verdict.conditions} - {verdict.tier.index if verdict.tier else 0}
        points.update(_Point(tier, None, MISSED) for tier in asked)
        for tier, matcher in self._inner.get(hit.rule.id, ()):
            points.add(_Point(tier, matcher, test_of(matcher)(hit.labels.get(matcher.name, ""))))
        for matcher in hit.rule.matchers:
            points.add(_Point(0, matcher, HELD))

    def coverage(self) -> Coverage:
        """Return what was seen of every rule that is not switched off, in file order."""
        rules = (self._of(rule) for rule in self._rule_set.rules if rule.mode is not Mode.OFF)
        return Coverage(rules=tuple(rules))

    def _of(self, rule: Rule) -> RuleCoverage:
        wanted = list(_points(rule, self._inner[rule.id]))
        seen = self._points[rule.id] | set(self._matchers_of(rule))
        missing = tuple(point.missing() for point in wanted if point not in seen)
        return RuleCoverage(
            rule=rule.id,
            file=rule.file,
            line=rule.line,
            seen=len(wanted) - len(missing),
            points=len(wanted),
            missing=missing,
        )

    def _matchers_of(self, rule: Rule) -> Iterator[_Point]:
        for matcher in rule.matchers:
            for value in self._values.get((rule.on, matcher.name), ()):
                yield _Point(0, matcher, test_of(matcher)(value))


def _points(rule: Rule, inner: Iterable[tuple[int, Matcher]]) -> Iterator[_Point]:
    yield _Point(0, None, HELD)
    for matcher in rule.matchers:
        yield _Point(0, matcher, HELD)
        yield _Point(0, matcher, MISSED)
    for tier in rule.tiers:
        yield _Point(tier.index, None, HELD)
        if tier.condition is not None:
            yield _Point(tier.index, None, MISSED)
    for index, matcher in dict.fromkeys(inner):
        yield _Point(index, matcher, HELD)
        yield _Point(index, matcher, MISSED)


def _inner(rule: Rule) -> Iterator[tuple[int, Matcher]]:
    """Yield the matchers within the conditions of each tier."""
    for tier in rule.tiers:
        for condition in flatten(tier.condition):
            if isinstance(condition, Match):
                yield from ((tier.index, matcher) for matcher in condition.matchers)


def joined(parts: Iterable[Coverage]) -> Coverage:
    """Return several coverages as one; of a rule that two rule sets share is missing what neither saw."""
    rules: dict[tuple[str, str, int], RuleCoverage] = {}
    for part in parts:
        for rule in part.rules:
            key = (rule.file, rule.rule, rule.points)
            known = rules.get(key, rule)
            missing = tuple(each for each in known.missing if each in rule.missing)
            rules[key] = msgspec.structs.replace(rule, missing=missing, seen=rule.points - len(missing))
    return Coverage(rules=tuple(rules.values()))
