"""Where deciders died: when two died on the same place, the next one goes on event by event and marks each before.

An event on which a careful decider died twice is the one; it alone goes to quarantine.
"""

from incidents import keys
from incidents.store.connection import Link, checked
from workers.entries import Cursor

DEATHS = 2
CAREFUL_FOR = 2000  # entries: more than the batch that a decider died on can have held


class Suspects:
    """The memory of deaths, kept in the store. One decider uses it at a time: the one with the lease."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.careful = False
        self._left = 0

    def taken_over(self, cursor: Cursor) -> None:
        """Count that a decider begins here; whoever ends well clears the count."""
        place = str(cursor)
        at, begun, marked = checked(self._link.ask([("HMGET", keys.suspect(), "at", "begun", "marked")]))[0]
        same = at is not None and at.decode() == place
        deaths = int(begun or 0) if same else 0
        self.careful = deaths >= DEATHS or marked is not None
        self._left = CAREFUL_FOR
        self._link.one("HSET", keys.suspect(), "at", place, "begun", deaths + 1)

    def mark(self, place: Cursor) -> bool:
        """Note that the event at a place is about to be judged; True when that was deadly twice already."""
        marked, deaths = checked(self._link.ask([("HMGET", keys.suspect(), "marked", "deaths")]))[0]
        same = marked is not None and marked.decode() == str(place)
        count = int(deaths or 0) if same else 0
        self._link.one("HSET", keys.suspect(), "marked", str(place), "deaths", count + 1)
        return count >= DEATHS

    def passed(self, entries: int) -> None:
        """Go on with whole batches once the suspected range, or the stream, is behind."""
        self._left -= entries
        if self._left <= 0 or not entries:
            self.clear()

    def clear(self) -> None:
        """Forget all suspicion: this decider ended well, or came past the place."""
        self.careful = False
        self._link.one("DEL", keys.suspect())
