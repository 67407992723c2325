"""What a batch needs of the store, also of the batch that was read ahead: that is planned while the store commits."""

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from incidents.snapshot import Plan
from rules.deciding.deciding import Deciding
from rules.deciding.work import Arrival, Received, Work
from workers.entries import Entry

Arrivals = tuple[Arrival | Received, ...]


class _Planned(NamedTuple):
    deciding: Deciding
    entries: Sequence[Entry]
    arrivals: Arrivals
    plan: Plan


class Planning:
    """Remembers the plan of one batch ahead. One thread uses it."""

    def __init__(self) -> None:
        self._planned: _Planned | None = None

    def arrivals(self, entries: Sequence[Entry]) -> Arrivals:
        """Return the events of entries, the very ones that were planned where these entries were."""
        planned = self._planned
        return planned.arrivals if planned is not None and planned.entries is entries else _arrivals_of(entries)

    def plan(self, deciding: Deciding, work: Work) -> Plan:
        """Return what deciding some work needs."""
        planned = self._planned
        if planned is None or planned.deciding is not deciding or planned.arrivals is not work.arrivals:
            return deciding.plan(work)
        self._planned = None  # the plan grows when deciding meets more
        planned.plan.merge(deciding.plan(Work((), work.timers)))
        return planned.plan

    def ahead(self, deciding: Deciding, entries: Sequence[Entry]) -> None:
        """Plan what was read ahead; what cannot be planned raises again when it is its turn, and is recorded then."""
        is_planned = self._planned is not None and self._planned.entries is entries
        if entries and not is_planned:
            arrivals = _arrivals_of(entries)
            with contextlib.suppress(Exception):
                self._planned = _Planned(deciding, entries, arrivals, deciding.plan(Work(arrivals)))


def _arrivals_of(entries: Sequence[Entry]) -> Arrivals:
    return tuple(arrival for entry in entries for arrival in entry.arrivals)
