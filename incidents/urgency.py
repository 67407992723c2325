"""In which order open incidents need somebody, as one number by which a store can keep them in order. Pure."""

from incidents.clock import to_ms
from incidents.incident import Incident
from incidents.values import IncidentStatus, Severity

_LEVEL = 2**43  # milliseconds until the year 2248; eight levels of them are exact in a double


def urgency(incident: Incident) -> int:
    """Return a number, the greatest for what comes first: what nobody took, then the gravest, then the newest."""
    is_taken = incident.status is not IncidentStatus.DECLARED
    return _lowest(incident.severity, is_taken=is_taken) + to_ms(incident.opened_at)


def bands(severity: Severity) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return between which numbers the incidents of a severity are: those that nobody took, and the others."""
    untaken, taken = _lowest(severity, is_taken=False), _lowest(severity, is_taken=True)
    return (untaken, untaken + _LEVEL - 1), (taken, taken + _LEVEL - 1)


def _lowest(severity: Severity, *, is_taken: bool) -> int:
    return (len(Severity) * (not is_taken) + len(Severity) - severity.rank) * _LEVEL
