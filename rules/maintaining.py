"""Which maintenance is in force for an alert: matchers over labels, judged only where somebody would be paged. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from incidents.maintenance import Hold, Maintenance, holds_at
from rules.matchers import Matcher, matches, parse_matchers


def is_narrow(matchers: Sequence[Matcher]) -> bool:
    """Whether some matcher needs a label to have a value: without one everything would be held back."""
    return bool(matchers) and not matches(matchers, {})


@lru_cache(maxsize=2048)
def matchers_of(text: str) -> tuple[Matcher, ...]:
    """Return the matchers of a maintenance; raises `BadMatcher`."""
    return parse_matchers(text)


def holds_for(maintenances: Iterable[Maintenance], labels: Mapping[str, str], now: datetime) -> tuple[Hold, ...]:
    """Return what holds the paging for an alert with these (normalized) labels at an instant."""
    mine = [each for each in maintenances if matches(matchers_of(each.match), labels)]
    return holds_at(mine, now) if mine else ()
