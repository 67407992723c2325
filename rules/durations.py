"""Durations as Prometheus writes them: `30s`, `5m`, `1h30m`, `2d`. Pure."""

import re
from datetime import timedelta

_UNITS_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
DURATION_PATTERN = "".join(f"(?:[0-9]{{1,9}}{unit})?" for unit in _UNITS_MS)
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS_MS))


def parse_duration(text: str) -> timedelta:
    """Read a duration (units y, w, d, h, m, s, ms, each once and in that order); raises ValueError with the mend."""
    if text == "0":
        return timedelta()
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        raise ValueError(f"{text[:40]!r} is not a duration; write it like {_example(text)}")
    numbers = zip(found.groups(default="0"), _UNITS_MS.values(), strict=True)
    try:
        return timedelta(milliseconds=sum(int(number) * unit for number, unit in numbers))
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is too long a time") from None


def format_duration(duration: timedelta) -> str:
    """Write a duration as `parse_duration` reads it, largest unit first and without weeks and years: `1d12h`."""
    rest = duration // timedelta(milliseconds=1)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        number, rest = divmod(rest, _UNITS_MS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def _example(text: str) -> str:
    return f"{text}s or {text}m" if re.fullmatch("[0-9]{1,6}", text) else "30s, 5m, 1h30m or 2d"
