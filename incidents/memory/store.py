"""The store in memory: what deciding and paging ask of the store and write to it, with the same meaning. Pure.

Each field of a commit has its writer in `writes.WRITES`, each field of a snapshot its reader in `reads.READS`; a field
without one fails the suite that both stores pass.
"""

from datetime import datetime

from incidents import events
from incidents.clock import from_ms
from incidents.commit import Commit, commit_of
from incidents.measures import Tally
from incidents.memory.reads import READS
from incidents.memory.state import State
from incidents.memory.writes import WRITES
from incidents.oncall import OnCall
from incidents.snapshot import Plan, Snapshot
from incidents.transitions import Context, transition


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

    def happen(
        self,
        name: str,
        event: events.Event,
        *,
        oncall: OnCall,
        now: datetime,
        also: Tally | None = None,
        declared: bool = False,
    ) -> None:
        """Let an event happen to one incident, as the API and the page worker do; `declared`: there is none yet.

        `also` is counted in the same commit. Raises `TransitionNotAllowed`.
        """
        before = None if declared else self.incidents[name]
        context = Context(oncall=oncall, ruleset=self.ruleset, alerts=self.tally(name), new_id=name)
        done = transition(before, event, context=context, now=now)
        commit = commit_of(name, done, now, declared=declared, watched=oncall.watches_incidents)
        if also is not None:
            commit.tally.add(also)
        self.apply(commit)
        if done.incident is None and before is not None and isinstance(event, events.StepDue):
            # A step that was no longer due may have left its timer behind: it is set again as the incident says.
            self.escalate_as_told(before)

    # What is due

    def next_due(self) -> datetime | None:
        """Return when the next timer or paging step is due."""
        scores = [score for score in (self.timers.first(), self.escalations.first()) if score is not None]
        return from_ms(min(scores)) if scores else None
