"""What the decider leaves for the journal in its commit, and who trims the stream that both read.

While a journal is expected, the journal trims what it has written. Without one the decider trims alone, and counts
what no journal will tell of.
"""

import structlog

from incidents import keys
from incidents.clock import from_ms
from incidents.commit import TIMER_BEATS, Commit
from incidents.journal.lines import encode_decided
from incidents.measures import Measures
from incidents.store.connection import Command, Link, checked
from incidents.store.journal import drop_command, is_too_far_behind
from rules.deciding.notes import Notes
from rules.deciding.work import Work
from workers.entries import Cursor
from workers.poison import Offenders

LOG = structlog.get_logger()

IS_EXPECTED: Command = ("EXISTS", keys.journal_expected())


class Leaving:
    """The notes of one piece of work on their way into its commit: what it was before anything was set aside."""

    def __init__(self, work: Work, poison: Offenders) -> None:
        self._events = [*work.arrivals, *(event for event, _ in poison.arrivals)]
        self._timers = sum(1 for timer in work.timers if timer.member != TIMER_BEATS)
        self._unreadable = len(poison.unreadable)
        self.notes: Notes | None = None

    def expected(self, reply: object) -> None:
        """Take notes, or none, as the store answered `IS_EXPECTED`."""
        self.notes = Notes() if reply else None

    def commands(self, commit: Commit, start: Cursor, done: Cursor, ruleset: str, poison: Offenders) -> list[Command]:
        """Return what goes into the transaction; without a journal the events are counted in the commit."""
        trimmed: list[Command] = []
        if self.notes is None:
            commit.tally.count(Measures.JOURNAL_MISSED, by=len(self._events) + self._timers + self._unreadable)
            if done.entry_id != start.entry_id:
                trimmed.append(("XTRIM", keys.stream(), "MINID", "~", done.entry_id))
            return trimmed
        errors = {id(event): error for event, error in poison.arrivals}
        decided = self.notes.decided(
            start=str(start),
            end=str(done),
            at=from_ms(commit.now_ms),
            rules=ruleset,
            aside={place: errors[id(event)] for place, event in enumerate(self._events) if id(event) in errors},
            unreadable={entry.entry_id: entry.error for entry in poison.unreadable},
        )
        lines = decided.lines
        if not lines:
            return []
        return [
            ("XADD", keys.decisions(), "*", "d", encode_decided(decided), "n", lines),
            ("HINCRBY", keys.journal(), "decided", lines),
        ]


def keep_bounded(link: Link, cursor: Cursor) -> None:
    """Go on without the journal where nobody writes it, or where more waits for it than memory bears."""
    anyway = is_too_far_behind(link)
    commands = [drop_command(anyway=anyway)]
    if anyway:
        commands.append(("XTRIM", keys.stream(), "MINID", "~", cursor.entry_id))
    lost, *_ = checked(link.ask(commands))
    if lost:
        LOG.error(
            "journal_missed_events", events=int(lost), why="it is too far behind" if anyway else "nobody writes it"
        )
