"""Finds the rules that an alert satisfies, without looking at those that cannot match: the decider's hot path. Pure.

Each rule hangs on one label. Where a matcher lists its values (`=`, `=~"a|b"`) the rule hangs on the values that fewest
rules share; otherwise on the label's name, and what its regular expressions said of a value is remembered.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from incidents.alert import short_hash
from rules.matchers import Matcher, Op, RegexSet, Test, literals_of, test_of
from rules.model import Mode, Rule, RuleSet, Subject

# Signals that monitoring itself lives; they are heard, and never an incident of their own.
SILENT_ALERTS = frozenset({"Watchdog", "InfoInhibitor"})
FALLBACK_IDENTITY = ("alertname", "cluster", "namespace", "job")
UNKNOWN_IDENTITY = {"alertname": "unknown"}
MAX_REMEMBERED = 50_000
MAX_REMEMBERED_LENGTH = 256


class Hit(NamedTuple):
    """One rule whose matchers hold for one alert; `labels` are those after normalizing."""

    rule: Rule
    identity: dict[str, str]
    identity_key: str
    labels: Mapping[str, str]


class Matched(NamedTuple):
    """The labels after normalizing, and the rules that match, in file order."""

    labels: Mapping[str, str]
    hits: tuple[Hit, ...]


Check = tuple[str, Test]


class _Entry(NamedTuple):
    """One rule of the index: its place in file order, and what is left to be tested."""

    place: int
    rule: Rule
    checks: tuple[Check, ...]


class _Table:
    """The rules that hang on one label, by its value."""

    def __init__(self) -> None:
        self.by_value: dict[str, tuple[_Entry, ...]] = {}
        self._listed: dict[str, tuple[_Entry, ...]] = {}
        self._tested: list[tuple[Test, _Entry]] = []
        self._patterns: list[tuple[str, _Entry]] = []
        self._regexes = RegexSet(())

    def add(self, anchor: Matcher, entry: _Entry) -> None:
        """Hang a rule on one of its matchers."""
        values = literals_of(anchor)
        if values is not None and "" not in values:
            for value in values:
                self._listed[value] = (*self._listed.get(value, ()), entry)
        elif anchor.op is Op.MATCHES and values is None:
            self._patterns.append((anchor.value, entry))
        else:
            self._tested.append((test_of(anchor), entry))

    def finish(self) -> tuple[_Entry, ...]:
        """Make ready after the last rule; returns the rules that are satisfied when the label is missing."""
        self._regexes = RegexSet([pattern for pattern, _entry in self._patterns])
        for value, entries in self._listed.items():
            self._listed[value] = (*entries, *self._asked(value))
        self.by_value = dict(self._listed)
        return self._asked("")

    def learn(self, value: str) -> tuple[tuple[_Entry, ...], bool]:
        """Return the rules for a value that is not listed, and whether the answer is remembered now."""
        if not self._tested and not self._patterns:
            return (), False
        found = self._asked(value)
        if len(value) > MAX_REMEMBERED_LENGTH:
            return found, False
        self.by_value[value] = found
        return found, True

    def forget(self) -> None:
        """Drop what was learnt."""
        self.by_value = dict(self._listed)

    def _asked(self, value: str) -> tuple[_Entry, ...]:
        found = [entry for test, entry in self._tested if test(value)]
        if self._patterns:
            found += [self._patterns[place][1] for place in self._regexes.matching(value)]
        return tuple(found)


class Matching:
    """The index over one rule set. It remembers the values it has seen, so one thread alone may use it."""

    def __init__(self, rule_set: RuleSet, subject: Subject = Subject.ALERT) -> None:
        self._of_alerts = subject is Subject.ALERT
        # The fields of an incident are no labels of a sender.
        self._normalize = () if subject is Subject.INCIDENT else tuple(rule_set.normalize.items())
        self._tables: dict[str, _Table] = {}
        self._everywhere: list[_Entry] = []
        self._keys: dict[tuple[str, ...], str] = {}
        rules = [rule for rule in rule_set.rules if rule.on is subject and rule.mode is not Mode.OFF and not rule.slo]
        self._build(rules)
        self._absent = [(name, found) for name, table in self._tables.items() if (found := table.finish())]
        self._room = MAX_REMEMBERED

    def match(self, labels: Mapping[str, str]) -> Matched:
        """Return the normalized labels and every rule that an alert with these labels satisfies."""
        labels = self._normalized(labels)
        if self._of_alerts and labels.get("alertname") in SILENT_ALERTS:
            return Matched(labels, ())
        candidates: list[_Entry] = list(self._everywhere)
        tables = self._tables
        for name, value in labels.items():
            table = tables.get(name)
            if table is not None:
                found = table.by_value.get(value)
                if found is None:
                    found = self._learn(table, value)
                if found:
                    candidates += found
        for name, entries in self._absent:
            if name not in labels:
                candidates += entries
        if not candidates:
            return Matched(labels, ())
        candidates.sort()
        return Matched(labels, tuple(self._hit(entry.rule, labels) for entry in candidates if _holds(entry, labels)))

    # ----------------------------------------------------------------------------------------------------------- build

    def _build(self, rules: list[Rule]) -> None:
        uses = Counter(pair for rule in rules for matcher in rule.matchers for pair in _pairs(matcher))
        for place, rule in enumerate(rules):
            anchor = _anchor(rule.matchers, uses)
            checks = tuple((each.name, test_of(each)) for each in rule.matchers if each is not anchor)
            entry = _Entry(place, rule, checks)
            if anchor is None:
                self._everywhere.append(entry)
            else:
                self._tables.setdefault(anchor.name, _Table()).add(anchor, entry)

    # ------------------------------------------------------------------------------------------------------------- run

    def _normalized(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        changed: dict[str, str] | None = None
        for name, sources in self._normalize:
            for source in sources:
                value = labels.get(source)
                if value:
                    if source != name:
                        if changed is None:
                            changed = dict(labels)
                        changed[name] = value
                    break
        return labels if changed is None else changed

    def _learn(self, table: _Table, value: str) -> tuple[_Entry, ...]:
        found, remembered = table.learn(value)
        if remembered:
            self._room -= 1
            if self._room <= 0:
                self._forget()
        return found

    def _forget(self) -> None:
        """Values come from outside and never end: start to remember them anew."""
        for table in self._tables.values():
            table.forget()
        self._room = MAX_REMEMBERED

    def _hit(self, rule: Rule, labels: Mapping[str, str]) -> Hit:
        identity = identity_of(rule.identity, labels)
        pairs = tuple(identity) + tuple(identity.values())
        key = self._keys.get(pairs)
        if key is None:
            key = identity_key(identity)
            if len(self._keys) >= MAX_REMEMBERED:
                self._keys.clear()
            if sum(map(len, pairs)) <= MAX_REMEMBERED_LENGTH:
                self._keys[pairs] = key
        return Hit(rule, identity, key, labels)


def identity_of(names: Iterable[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that make findings the same incident, never none: missing ones are left out.

    If all are missing it is `alertname` with `cluster`, `namespace` and `job` as far as they are there.
    """
    found = {name: value for name in names if (value := labels.get(name))}
    if found:
        return found
    return {name: value for name in FALLBACK_IDENTITY if (value := labels.get(name))} or dict(UNKNOWN_IDENTITY)


def identity_key(identity: Mapping[str, str]) -> str:
    """Return the key of an identity: equal names and values give equal keys, in whatever order a rule names them."""
    return short_hash("".join(f"{len(name)}:{name}{len(value)}:{value}" for name, value in sorted(identity.items())))


def _holds(entry: _Entry, labels: Mapping[str, str]) -> bool:
    for name, test in entry.checks:  # noqa: SIM110 -- a generator costs three times as much here
        if not test(labels.get(name, "")):
            return False
    return True


def _pairs(matcher: Matcher) -> list[tuple[str, str]]:
    return [(matcher.name, value) for value in literals_of(matcher) or ()]


def _anchor(matchers: Iterable[Matcher], uses: Mapping[tuple[str, str], int]) -> Matcher | None:
    """Return the matcher on which a rule hangs: the one that fewest alerts and rules will ask about."""
    return min(matchers, key=lambda matcher: _cost(matcher, uses), default=None)


def _cost(matcher: Matcher, uses: Mapping[tuple[str, str], int]) -> tuple[int, int]:
    values = literals_of(matcher)
    if values is not None and "" not in values:
        return 0, sum(uses[matcher.name, value] for value in values)
    # A matcher that a missing label satisfies has to be asked of every alert.
    return (2, 0) if test_of(matcher)("") else (1, 0)
