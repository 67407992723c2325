"""Runs many test files, each with the rules that it names, and sums up. Pure but for the clock of durations."""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
import re2

from rules.model import RuleSet
from rules.testing.coverage import Coverage, Seen, joined
from rules.testing.model import Result, TestFile
from rules.testing.run import run_test


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How the tests of all files went, and what they covered."""

    results: tuple[Result, ...]
    coverage: Coverage
    files: int
    seconds: float

    def count(self, outcome: str) -> int:
        """Return how many tests had an outcome."""
        return sum(result.outcome == outcome for result in self.results)


class Suite:
    """Runs test files one after the other; `rule_set_of` loads the rules that a file names.

    `only` is a regular expression that the name of a test has to match; raises ValueError where it is none.
    """

    def __init__(self, rule_set_of: Callable[[TestFile], RuleSet], *, only: str = "") -> None:
        self._rule_set_of = rule_set_of
        self._only = _pattern(only) if only else None
        self._seen: dict[str, Seen] = {}
        self._results: list[Result] = []

    def run(self, files: Sequence[TestFile]) -> Iterator[Result]:
        """Run every test; yields each result as it is there."""
        for file in files:
            rule_set = self._rule_set_of(file)
            seen = self._seen.setdefault(rule_set.hash, Seen(rule_set))
            for test in file.tests:
                if self._only is not None and not self._only.search(test.name):
                    continue
                began = time.monotonic()
                result = run_test(file.name, test, rule_set, seen)
                result = msgspec.structs.replace(result, seconds=time.monotonic() - began)
                self._results.append(result)
                yield result

    def report(self, files: Sequence[TestFile]) -> Report:
        """Return what came of all that were run."""
        return Report(
            results=tuple(self._results),
            coverage=joined(seen.coverage() for seen in self._seen.values()),
            files=len(files),
            seconds=sum(result.seconds for result in self._results),
        )


def _pattern(text: str) -> "re2._Regexp":
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"{text!r} is no regular expression of RE2: {said}") from None
