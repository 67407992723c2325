"""The store in memory: what deciding and paging ask of the store and write to it, with the same meaning. Pure.

Each field of a commit has its writer in `writes.WRITES`, each field of a snapshot its reader in `reads.READS`; a field
without one fails the suite that both stores pass.
"""

from datetime import datetime

from incidents.clock import from_ms, to_ms
from incidents.commit import Commit
from incidents.memory.reads import READS
from incidents.memory.state import State
from incidents.memory.writes import WRITES
from incidents.snapshot import Plan, Snapshot

DUE_AT_ONCE = 500


class MemoryStore(State):
    """A store for one process and one thread."""

    def load(self, plan: Plan, now: datetime) -> Snapshot:
        """Return what a plan asks for, as it is at an instant."""
        return Snapshot(**{field: read(self, plan, now) for field, read in READS.items()})

    def apply(self, commit: Commit) -> None:
        """Write a commit."""
        for field, write in WRITES.items():
            value = getattr(commit, field)
            if value:
                write(self, value, commit)

    # What is due

    def timers_due(self, now: datetime) -> list[tuple[str, datetime]]:
        """Return the timers whose time has come, and since when each is due; the earliest first."""
        return [(member, from_ms(due)) for member, due in self.timers.until(to_ms(now), DUE_AT_ONCE)]

    def escalations_due(self, now: datetime) -> list[str]:
        """Return the incidents whose next paging step is due."""
        return [name for name, _ in self.escalations.until(to_ms(now), DUE_AT_ONCE)]

    def next_due(self) -> datetime | None:
        """Return when the next timer or paging step is due."""
        scores = [score for score in (self.timers.first(), self.escalations.first()) if score is not None]
        return from_ms(min(scores)) if scores else None
