"""What is in quarantine: listed, shown, and sent through the stream once more."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from incidents import keys
from incidents.alert import Alert
from incidents.clock import to_ms
from incidents.errors import NotFound, TocsinError
from incidents.journal.reader import Journal
from incidents.measures import Measures, Tally
from incidents.quarantined import Quarantined
from incidents.store.codec import decode_quarantined, encode
from incidents.store.connection import Command, Links, checked
from incidents.store.intake import REFUSED_CHARACTERS
from incidents.store.reads import UnknownCursor
from incidents.values import AlertStatus

SEARCHED = timedelta(days=1)  # around its receipt: it was decided then, or soon after

# KEYS quarantine, stream, counters. ARGV id, source, milliseconds of receipt, body, then fields of the counters and by
# how much each grows. Answers the id of the entry, or false where the item is gone. The deletion comes last: a store
# without room refuses the first write, and then nothing was done.
REQUEUE = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return false end
local entry = redis.call('XADD', KEYS[2], '*', 'k', 'alerts', 's', ARGV[2], 't', ARGV[3], 'n', 1, 'b', ARGV[4])
for i = 5, #ARGV, 2 do redis.call('HINCRBY', KEYS[3], ARGV[i], ARGV[i + 1]) end
redis.call('HDEL', KEYS[1], ARGV[1])
return entry
"""


class NotRequeueable(TocsinError):
    """An item of the quarantine that is no alert of ours, so that the stream cannot take it."""

    def __init__(self, item: Quarantined, why: str) -> None:
        super().__init__(
            f"{item.id} cannot be requeued: it is not an alert as Tocsin keeps one ({why}). It went into quarantine "
            f"because: {item.reason}"
        )


class _Kept(Alert, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert in our own JSON and nothing else: a sender's JSON looks like it, and would lose its times."""


class QuarantinePage(NamedTuple):
    """Some items, latest first, and the cursor of the next page, None after the last."""

    items: tuple[Quarantined, ...]
    next: str | None


class Quarantine:
    """Reads and empties the quarantine. For many threads.

    `wake` asks for a decider; `journal` is where the journal of this host is, which has whole what was cut here.
    """

    def __init__(self, links: Links, wake: Callable[[], object], journal: Path | None = None) -> None:
        self._links = links
        self._wake = wake
        self._journal = journal

    def items(self, *, after: str = "", limit: int = 50) -> QuarantinePage:
        """Return items after a cursor (the id of an item), latest first; raises `UnknownCursor`."""
        if after and not after.startswith("q"):
            raise UnknownCursor(after)
        with self._links.borrow() as link:
            # Ids begin with their time. They are small; the items are not, and only those of the page are read.
            ids = sorted((each.decode() for each in link.one("HKEYS", keys.quarantine())), reverse=True)
            ids = [each for each in ids if not after or each < after]
            page = ids[:limit]
            values = link.one("HMGET", keys.quarantine(), *page) if page else ()
        items = tuple(decode_quarantined(value) for value in values if value is not None)
        return QuarantinePage(items, page[-1] if len(ids) > limit else None)

    def item(self, item_id: str) -> Quarantined:
        """Return one item; raises `NotFound`."""
        with self._links.borrow() as link:
            value = link.one("HGET", keys.quarantine(), item_id)
        if value is None:
            raise NotFound("item in quarantine", item_id)
        return decode_quarantined(value)

    def requeue(self, item_id: str, *, now: datetime) -> str:
        """Send an item through the stream once more and return the id of its entry.

        It leaves the quarantine and enters the stream at once or not at all, so of two who try only one does. To the
        counters it is a new event: received grows by one and one more is pending, while the old event stays counted as
        quarantined. So received = processed + duplicate + quarantined + pending holds before, between and after.
        It keeps its source. It is received now, so that neither the lag of the intake nor the delay of its page counts
        the time in quarantine; times that its sender left out are those of its first receipt.
        Raises `NotFound`, `NotRequeueable` and `StoreUnavailable`.
        """
        item = self.item(item_id)
        alert = self._alert_of(item)
        tally = Tally()
        tally.count(Measures.ALERTS_RECEIVED, item.source, alert.status.value)
        tally.count(Measures.EVENTS_RECEIVED)
        command: Command = (
            *("EVAL", REQUEUE, 3, keys.quarantine(), keys.stream(), keys.counters()),
            *(item_id, item.source, to_ms(now), encode([alert])),
            *(part for counted in tally.fields.items() for part in counted),
        )
        with self._links.borrow() as link:
            entry, decides = checked(link.ask([command, ("EXISTS", keys.lease())]))
        if entry is None:
            raise NotFound("item in quarantine", item_id)
        if not decides:
            self._wake()
        return bytes(entry).decode()

    def _alert_of(self, item: Quarantined) -> Alert:
        """Return the alert of an item, whole from the journal where it was cut; raises `NotRequeueable`."""
        if self._journal is not None and cut(item):
            needle = item.text.encode("utf-8", "surrogatepass")
            for event in Journal(self._journal).containing(needle, item.at - SEARCHED, item.at + SEARCHED):
                if event.alert is not None and event.source == item.source:
                    return timed(event.alert, item)
        return alert_in(item)


def cut(item: Quarantined) -> bool:
    """Whether an item was longer than what the quarantine keeps."""
    return len(item.text) >= REFUSED_CHARACTERS


def alert_in(item: Quarantined) -> Alert:
    """Return the alert that an item holds, with times from its first receipt; raises `NotRequeueable`."""
    try:
        alert = msgspec.json.decode(item.text, type=_Kept)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise NotRequeueable(item, str(error)) from None
    return timed(alert, item)


def timed(alert: Alert, item: Quarantined) -> Alert:
    """Return an alert with times from its first receipt where its sender gave none."""
    starts_at = alert.starts_at or item.at
    if alert.status is AlertStatus.RESOLVED:
        return replace(alert, starts_at=starts_at, ends_at=alert.ends_at or item.at)
    return replace(alert, starts_at=starts_at)
