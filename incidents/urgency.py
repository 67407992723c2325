"""In which order open incidents need somebody, as one number by which a store can keep them in order. Pure.

The number also tells how an incident stands, so that many can be counted without being read.
"""

from collections import Counter
from collections.abc import Iterable

from incidents.clock import to_ms
from incidents.incident import Incident
from incidents.values import OPEN_STATUSES, IncidentStatus, Severity

_STATUSES = tuple(sorted(OPEN_STATUSES))  # which of them stands in the last two bits
_STATUS_BITS = 2
_LEVEL_BITS = 43 + _STATUS_BITS  # milliseconds until the year 2248; eight levels of them are exact in a double
_WITHOUT_TIME = -1 << _LEVEL_BITS | (1 << _STATUS_BITS) - 1
_SEVERITIES = tuple(sorted(Severity, key=lambda severity: severity.rank, reverse=True))


def urgency(incident: Incident) -> int:
    """Return a number, the greatest for what comes first: what nobody took, then the gravest, then the newest.

    The incident has to be open.
    """
    is_taken = incident.status is not IncidentStatus.DECLARED
    opened = to_ms(incident.opened_at) << _STATUS_BITS
    return _lowest(incident.severity, is_taken=is_taken) + opened + _STATUSES.index(incident.status)


def standing_of(number: int) -> tuple[Severity, IncidentStatus]:
    """Return the severity and the status of an incident of some urgency."""
    place = number % (1 << _STATUS_BITS)
    return _SEVERITIES[(number >> _LEVEL_BITS) % len(_SEVERITIES)], _STATUSES[min(place, len(_STATUSES) - 1)]


def standings_of(numbers: Iterable[int]) -> Counter[tuple[Severity, IncidentStatus]]:
    """Return how many incidents of these urgencies there are of each severity and status."""
    found: Counter[tuple[Severity, IncidentStatus]] = Counter()
    for number, count in Counter(number & _WITHOUT_TIME for number in numbers).items():
        found[standing_of(number)] += count
    return found


def bands(severity: Severity) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return between which numbers the incidents of a severity are: those that nobody took, and the others."""
    untaken, taken = _lowest(severity, is_taken=False), _lowest(severity, is_taken=True)
    width = (1 << _LEVEL_BITS) - 1
    return (untaken, untaken + width), (taken, taken + width)


def _lowest(severity: Severity, *, is_taken: bool) -> int:
    return (len(Severity) * (not is_taken) + _SEVERITIES.index(severity)) << _LEVEL_BITS
