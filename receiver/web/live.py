"""Who follows what, and the one reader of this process that tells them all. It knows no HTTP, and it never writes.

A watcher has a queue of its own. The reader lives while somebody watches: it waits for entries of every timeline that
is followed in one question, and looks at the open incidents every two seconds where a list is.
"""

import contextlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import structlog

from incidents.errors import StoreUnavailable
from incidents.store.connection import Links
from incidents.store.following import News, OpenIncidents, await_entries, newest_entry, place_of
from incidents.store.reads import Counted
from receiver.seats import SEATS, told_to_nobody

HUB = "live"  # the extension of the application under which its hub is kept
SEATS_EACH = 5  # of one caller in one process
WAIT_MS = 500  # so long until somebody who came meanwhile is asked for too
LIST_EVERY = 2.0  # seconds
MOST_WAITING = 500  # who takes nothing for so many is let go, and comes again

log = structlog.get_logger(__name__)


class OpenOnes(NamedTuple):
    """How the open incidents stand; who watches picks those that he may see."""

    incidents: Sequence[Counted]


Told = News | OpenOnes | None  # None: nothing more comes


class Watcher:
    """One who watches; `incident_id` is empty for the list."""

    def __init__(self, incident_id: str) -> None:
        self.incident_id = incident_id
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()

    def tell(self, told: Told) -> None:
        """Hand something over; one who takes nothing is told that nothing more comes."""
        waiting = self._told.qsize()
        if waiting <= MOST_WAITING:
            self._told.put(told if waiting < MOST_WAITING else None)

    def next(self, seconds: float) -> Told:
        """Return what comes next; raises `queue.Empty` after so many seconds."""
        return self._told.get(timeout=seconds)


class Hub:
    """The watchers of this process and their reader. For many threads.

    `told` hears how many seats are taken, whenever that changes.
    """

    def __init__(
        self,
        links: Links,
        *,
        seats: int = SEATS,
        seats_each: int = SEATS_EACH,
        told: Callable[[int], object] = told_to_nobody,
    ) -> None:
        self._links = links
        self._open = OpenIncidents(links)
        self._told = told
        self._seats = seats
        self._seats_each = seats_each
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._watchers: set[Watcher] = set()
        self._places: dict[str, str] = {}  # up to which entry of each incident that is followed everything was told
        self._reader: threading.Thread | None = None
        self._ended = threading.Event()

    @property
    def has_ended(self) -> bool:
        """Whether this process is about to stop."""
        return self._ended.is_set()

    def open_ones(self) -> OpenOnes:
        """Return how the open incidents stand now; raises `StoreUnavailable`."""
        return OpenOnes(self._open.read())

    def take_seat(self, caller: str) -> bool:
        """Take a seat for a caller; False where this process or the caller has none left."""
        with self._lock:
            if self.has_ended or self._taken.total() >= self._seats or self._taken[caller] >= self._seats_each:
                return False
            self._taken[caller] += 1
            self._told(self._taken.total())
            return True

    def leave_seat(self, caller: str) -> None:
        """Give a seat back."""
        with self._lock:
            self._taken[caller] -= 1
            self._told(self._taken.total())

    def end(self) -> None:
        """Let everybody go, and take nobody any more: the process stops."""
        self._ended.set()
        with self._lock:
            for watcher in self._watchers:
                watcher.tell(None)

    @contextlib.contextmanager
    def watching(self, incident_id: str = "") -> Iterator[Watcher]:
        """Watch an incident, or the list, as long as the block runs; raises `StoreUnavailable`."""
        newest = newest_entry(self._links, incident_id) if incident_id else ""
        watcher = Watcher(incident_id)
        with self._lock:
            self._watchers.add(watcher)
            if incident_id:
                self._places.setdefault(incident_id, newest)
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, name="live", daemon=True)
                self._reader.start()
        try:
            yield watcher
        finally:
            with self._lock:
                self._watchers.discard(watcher)
                if not any(each.incident_id == incident_id for each in self._watchers):
                    self._places.pop(incident_id, None)

    def _read(self) -> None:
        while self._is_wanted():
            try:
                self._look()
            except StoreUnavailable as error:
                log.info("those who watch wait: the store is away", error=str(error))
                self._ended.wait(LIST_EVERY)
            except Exception:
                log.exception("what is new could not be read")
                self._ended.wait(LIST_EVERY)

    def _is_wanted(self) -> bool:
        with self._lock:
            if self._watchers and not self.has_ended:
                return True
            self._reader = None
            return False

    def _look(self) -> None:
        """Tell once what is new; one round takes no longer than until the list is looked at again."""
        with self._lock:
            lists = [each for each in self._watchers if not each.incident_id]
        if lists:
            stand = self.open_ones()
            for watcher in lists:
                watcher.tell(stand)
        for _ in range(int(LIST_EVERY * 1000 / WAIT_MS) if lists else 1):
            self._tell_entries()

    def _tell_entries(self) -> None:
        with self._lock:
            places = dict(self._places)
        if not places:
            self._ended.wait(WAIT_MS / 1000)
            return
        with self._links.borrow() as link:
            found = await_entries(link, places, wait_ms=WAIT_MS)
        with self._lock:
            for news in found:
                if news.incident_id in self._places:
                    self._places[news.incident_id] = max(self._places[news.incident_id], news.entry_id, key=place_of)
                for watcher in self._watchers:
                    if watcher.incident_id == news.incident_id:
                        watcher.tell(news)
