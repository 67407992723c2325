"""Finds which of many lists of matchers hold for some labels, without looking at those that cannot. Pure.

Each list hangs on one label. Where a matcher lists its values (`=`, `=~"a|b"`) it hangs on the values that fewest
lists share; otherwise on the label's name, and what its regular expressions said of a value is remembered.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rules.matchers import Matcher, Op, RegexSet, Test, literals_of, test_of

MAX_REMEMBERED = 50_000
MAX_REMEMBERED_LENGTH = 256

Check = tuple[str, Test]


class _Entry(NamedTuple):
    """One list of the index: its place, and what is left to be tested."""

    place: int
    checks: tuple[Check, ...]


class _Table:
    """The lists that hang on one label, by its value."""

    def __init__(self) -> None:
        self.by_value: dict[str, tuple[_Entry, ...]] = {}
        self._listed: dict[str, tuple[_Entry, ...]] = {}
        self._tested: list[tuple[Test, _Entry]] = []
        self._patterns: list[tuple[str, _Entry]] = []
        self._regexes = RegexSet(())

    def add(self, anchor: Matcher, entry: _Entry) -> None:
        """Hang a list on one of its matchers."""
        values = literals_of(anchor)
        if values is not None and "" not in values:
            for value in values:
                self._listed[value] = (*self._listed.get(value, ()), entry)
        elif anchor.op is Op.MATCHES and values is None:
            self._patterns.append((anchor.value, entry))
        else:
            self._tested.append((test_of(anchor), entry))

    def finish(self) -> tuple[_Entry, ...]:
        """Make ready after the last list; returns those that are satisfied when the label is missing."""
        self._regexes = RegexSet([pattern for pattern, _entry in self._patterns])
        for value, entries in self._listed.items():
            self._listed[value] = (*entries, *self._asked(value))
        self.by_value = dict(self._listed)
        return self._asked("")

    def learn(self, value: str) -> tuple[tuple[_Entry, ...], bool]:
        """Return the lists for a value that is not listed, and whether the answer is remembered now."""
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


class MatcherIndex:
    """The index over lists of matchers. It remembers the values it has seen, so one thread alone may use it."""

    def __init__(self, lists: Sequence[Sequence[Matcher]]) -> None:
        self._tables: dict[str, _Table] = {}
        self._everywhere: list[_Entry] = []
        self._build(lists)
        self._absent = [(name, found) for name, table in self._tables.items() if (found := table.finish())]
        self._room = MAX_REMEMBERED

    def matching(self, labels: Mapping[str, str]) -> list[int]:
        """Return the places of the lists of which every matcher holds, in rising order."""
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
        candidates.sort()
        return [entry.place for entry in candidates if _holds(entry, labels)]

    def _build(self, lists: Sequence[Sequence[Matcher]]) -> None:
        uses = Counter(pair for matchers in lists for matcher in matchers for pair in _pairs(matcher))
        for place, matchers in enumerate(lists):
            anchor = _anchor(matchers, uses)
            entry = _Entry(place, tuple((each.name, test_of(each)) for each in matchers if each is not anchor))
            if anchor is None:
                self._everywhere.append(entry)
            else:
                self._tables.setdefault(anchor.name, _Table()).add(anchor, entry)

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


def _holds(entry: _Entry, labels: Mapping[str, str]) -> bool:
    for name, test in entry.checks:  # noqa: SIM110 -- a generator costs three times as much here
        if not test(labels.get(name, "")):
            return False
    return True


def _pairs(matcher: Matcher) -> list[tuple[str, str]]:
    return [(matcher.name, value) for value in literals_of(matcher) or ()]


def _anchor(matchers: Iterable[Matcher], uses: Mapping[tuple[str, str], int]) -> Matcher | None:
    """Return the matcher on which a list hangs: the one that fewest labels and lists will ask about."""
    return min(matchers, key=lambda matcher: _cost(matcher, uses), default=None)


def _cost(matcher: Matcher, uses: Mapping[tuple[str, str], int]) -> tuple[int, int]:
    values = literals_of(matcher)
    if values is not None and "" not in values:
        return 0, sum(uses[matcher.name, value] for value in values)
    # A matcher that a missing label satisfies has to be asked of everything.
    return (2, 0) if test_of(matcher)("") else (1, 0)
