"""Which recurrences (RRULE of RFC 5545) are read of a calendar: those that plans of people have. Pure.

What expands them looks for the next day until the end of time: a rule that never holds, or holds every second, must not
get that far. So rules are judged by their text, before anything else is made of them.
"""

import re
from collections.abc import Iterator
from math import prod

MOST_A_DAY = 24
MOST_INTERVAL = 1000
# Readers differ in what they take for a folded line: whatever one of them may see is judged.
_FOLDED = (re.compile(r"(?:\r?\n)+[ \t]"), re.compile(r"(?:(?<!\n)\r\n|(?<![\r\n])\n)(?:\r?\n)*[ \t]"))
_RULE = re.compile(r"\s*(?:RRULE|EXRULE)\s*(?:;[^:]*)?:(.*)", re.IGNORECASE)
_COMMON = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYHOUR", "BYMINUTE", "BYSECOND", "BYDAY"})
_MONTHS = _COMMON | {"BYMONTH", "BYMONTHDAY", "BYSETPOS"}
_KNOWN = {"DAILY": _COMMON, "WEEKLY": _COMMON, "MONTHLY": _MONTHS, "YEARLY": _MONTHS}
_OFTEN = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_DAY = re.compile(r"[+-]?(\d{0,2})(?:MO|TU|WE|TH|FR|SA|SU)")
_LONGEST = {month: 29 if month == 2 else 30 if month in {4, 6, 9, 11} else 31 for month in range(1, 13)}


class BadRecurrence(ValueError):
    """A rule of recurrence that is not read; the message says why."""


def times_a_day(text: str) -> int:
    """Return how often a day everything that recurs in a calendar does so at most; raises BadRecurrence."""
    return max(sum(_judged(rule) for rule in _rules(folded.sub("", text))) for folded in _FOLDED)


def _rules(text: str) -> Iterator[str]:
    for line in text.splitlines():
        found = _RULE.match(line)
        if found is not None:
            yield found[1].strip().upper()


def _judged(rule: str) -> int:
    parts = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in rule.split(";") if part)}
    every = parts.get("FREQ", "")
    if every in _OFTEN:
        raise BadRecurrence(f"{rule[:80]!r} repeats every hour or more often: turns are daily or longer")
    if every not in _KNOWN:
        raise BadRecurrence(f"{rule[:80]!r} is no recurrence")
    strange = sorted(set(parts) - _KNOWN[every])
    if strange:
        raise BadRecurrence(f"{rule[:80]!r}: {strange[0][:20]} is not read where FREQ is {every}")
    interval = _number(parts.get("INTERVAL", "1"), rule, 1, MOST_INTERVAL)
    if interval > 1 and ("BYMONTH" in parts if every == "MONTHLY" else every == "DAILY" and "BYDAY" in parts):
        raise BadRecurrence(f"{rule[:80]!r}: INTERVAL is not read beside a choice of {_CHOICE[every]}")
    _check_days(every, parts, rule)
    times = prod(len(parts[key].split(",")) for key in ("BYHOUR", "BYMINUTE", "BYSECOND") if key in parts)
    if times > MOST_A_DAY:
        raise BadRecurrence(f"{rule[:80]!r} repeats every hour or more often: turns are daily or longer")
    return times


_CHOICE = {"DAILY": "days of the week", "MONTHLY": "months"}


def _check_days(every: str, parts: dict[str, str], rule: str) -> None:
    """Refuse days that no month has."""
    for day in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        found = _DAY.fullmatch(day.strip())
        most = 53 if every == "YEARLY" and "BYMONTH" not in parts else 5
        if found is None or (found[1] and (every not in {"MONTHLY", "YEARLY"} or not 1 <= int(found[1]) <= most)):
            raise BadRecurrence(f"{rule[:80]!r}: there is no day {day[:20]!r}")
    months = [_number(each, rule, 1, 12) for each in parts["BYMONTH"].split(",")] if "BYMONTH" in parts else []
    longest = max((_LONGEST[month] for month in months), default=31)
    for key, most in (("BYMONTHDAY", longest), ("BYSETPOS", 4)):
        for each in parts[key].split(",") if key in parts else ():
            _number(each.strip().lstrip("+-"), rule, 1, most)
    if "BYSETPOS" in parts and "BYDAY" not in parts:
        raise BadRecurrence(f"{rule[:80]!r}: BYSETPOS is read beside BYDAY alone")


def _number(text: str, rule: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= most):
        raise BadRecurrence(f"{rule[:80]!r}: {text[:20]!r} is no number from {least} to {most}")
    return int(text)
