"""Pages that are due: claimed by one worker at a time, retried, and gone once their result is recorded."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from incidents import keys
from incidents.archive import is_archive
from incidents.clock import to_ms
from incidents.incident import AlertTally, Incident
from incidents.page import Page
from incidents.store.archive import counted
from incidents.store.codec import decode_page
from incidents.store.connection import Command, Link, checked
from incidents.store.load import FIELDS
from incidents.store.scripts import CLAIM, UNCLAIM, digest

CLAIM_FOR = timedelta(seconds=15)  # above the longest attempt: connecting, sending and reading are bounded by ten
CLAIMED_AT_ONCE = 50
LINGER_MS = 2000
TALLY_OF_INCIDENT = keys.tally("").removeprefix(keys.incident(""))


class Claimed(NamedTuple):
    """A page that was taken, and its incident as it was at that instant; None where that has to be looked for."""

    page: Page
    found: tuple[Incident, AlertTally] | None


class Due(NamedTuple):
    """What is due: the pages that were taken, and the incidents whose next paging step it is time for."""

    pages: list[Claimed]
    steps: list[str]


def claim(link: Link, owner: str, now: datetime) -> Due:
    """Take pages that are due; from here on their attempt counts as unanswered until its result is recorded.

    One round trip for all that a page needs: each one more delays it.
    """
    rows, steps = checked(
        link.ask(
            [
                (
                    *("EVALSHA", digest(CLAIM), 2, keys.pages_due(), keys.pages_claimed()),
                    *(to_ms(now), int(CLAIM_FOR.total_seconds() * 1000), CLAIMED_AT_ONCE, keys.page(""), owner),
                    *(keys.incident(""), TALLY_OF_INCIDENT, *FIELDS),
                ),
                ("ZRANGEBYSCORE", keys.escalations(), "-inf", to_ms(now), "LIMIT", 0, CLAIMED_AT_ONCE),
            ]
        )
    )
    return Due([_claimed(row) for row in rows], [name.decode() for name in steps])


def _claimed(row: list[Any]) -> Claimed:
    blob, attempt, unanswered, channel_index, channel_attempts, stored, tally = row
    page = replace(
        decode_page(blob),
        attempt=int(attempt),
        unanswered=unanswered == b"1",
        channel_index=int(channel_index),
        channel_attempts=int(channel_attempts),
    )
    if stored is None or is_archive(stored):
        return Claimed(page, None)
    found = counted(stored, tally)
    # What it says of others must be looked at again: they may be restricted by now.
    return Claimed(page, None if found[0].overdue_actions else found)


def over_commands(page: Page) -> list[Command]:
    """Return what forgets a page that was delivered, given up or no longer needed."""
    return [
        ("ZREM", keys.pages_due(), page.id),
        ("HDEL", keys.pages_claimed(), page.id),
        ("DEL", keys.page(page.id)),
    ]


def again_commands(page: Page, at: datetime) -> list[Command]:
    """Return what makes a page due again, with its channel, the attempts on it and whether one was left unanswered."""
    key = keys.page(page.id)
    return [
        (
            "HSET",
            key,
            "unanswered",
            int(page.unanswered),
            "channel_index",
            page.channel_index,
            "channel_attempts",
            page.channel_attempts,
        ),
        ("HDEL", keys.pages_claimed(), page.id),
        ("ZADD", keys.pages_due(), to_ms(at), page.id),
    ]


def hold_commands(page: Page, at: datetime) -> list[Command]:
    """Return what makes a claimed page due at an instant without having been tried."""
    return [*again_commands(page, at), ("HINCRBY", keys.page(page.id), "attempt", -1)]


def unclaim(link: Link, owner_prefix: str, now: datetime) -> int:
    """Make the pages of a worker that is known to be dead due again; return how many."""
    return int(
        link.one("EVALSHA", digest(UNCLAIM), 2, keys.pages_due(), keys.pages_claimed(), to_ms(now), owner_prefix)
    )


def next_due_ms(link: Link) -> int | None:
    """Return when the next page or step is due, in milliseconds since the epoch."""
    pages, steps = link.ask(
        [
            ("ZRANGE", keys.pages_due(), 0, 0, "WITHSCORES"),
            ("ZRANGE", keys.escalations(), 0, 0, "WITHSCORES"),
        ]
    )
    scores = [float(row[1]) for row in (pages, steps) if row]
    return int(min(scores)) if scores else None
