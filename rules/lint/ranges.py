"""Which values of a label matchers can hold for: as far as can be known, so that what never holds is found. Pure."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from rules.matchers import Matcher, Op, literals_of, possible_range, test_of

_REGEXES = frozenset({Op.MATCHES, Op.NOT_MATCHES})


def impossible(matchers: Iterable[Matcher]) -> str:
    """Say why these matchers never hold together, or "" when they can."""
    by_label: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        by_label.setdefault(matcher.name, []).append(matcher)
    return next((why for same in by_label.values() if (why := _conflict(same))), "")


def never_matches(pattern: str) -> bool:
    """Tell whether a regular expression matches no text at all, as far as can be known."""
    matcher = Matcher("", Op.MATCHES, pattern)
    found = possible_range(pattern)
    return found is not None and found[0] == found[1] and not _holds(matcher, found[0])


def _conflict(matchers: Sequence[Matcher]) -> str:
    """Say why matchers of one label never hold together."""
    for matcher in matchers:
        if matcher.op is Op.MATCHES and never_matches(matcher.value):
            return f"{matcher} matches no text"
        if matcher.op is Op.NOT_MATCHES and matcher.value in {".*", "(?s).*", "(?s:.*)"}:
            return f"{matcher} excludes every value"
    listed = next((values for matcher in matchers if (values := literals_of(matcher)) is not None), None)
    if listed is not None:
        possible = [value for value in listed if all(test_of(matcher)(value) for matcher in matchers)]
        return "" if possible else f"{' and '.join(map(str, matchers))} never hold together"
    return next((f"{a} and {b} never hold together" for a, b in combinations(matchers, 2) if _excluded(a, b)), "")


def _excluded(one: Matcher, other: Matcher) -> bool:
    if not {one.op, other.op} <= _REGEXES:
        return False
    if one.op is not other.op:
        return one.value == other.value
    if one.op is Op.NOT_MATCHES:
        return False
    first, second = possible_range(one.value), possible_range(other.value)
    return first is not None and second is not None and (first[1] < second[0] or second[1] < first[0])


def _holds(matcher: Matcher, value: bytes) -> bool:
    return test_of(matcher)(value.decode("utf-8", "replace"))


def implied(matcher: Matcher, given: Iterable[Matcher]) -> bool:
    """Tell whether a matcher holds wherever the given ones do, as far as can be known."""
    for other in given:
        if other == matcher:
            return True
        values = literals_of(other) if other.name == matcher.name else None
        if values is not None and all(test_of(matcher)(value) for value in values):
            return True
    return False
