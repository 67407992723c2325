"""Why the store takes nothing right now, in words for whoever gets the 503: never an address, nor what the store said.

A sender's log shows the answer to people who may see nothing of Tocsin; the log of the receiver tells the rest. Pure.
"""

from typing import NamedTuple

from incidents.errors import TocsinError

SOON, LATER = 5, 15  # seconds; what passes by itself, and what somebody has to mend


class Unavailable(NamedTuple):
    """Why nothing is taken: a word for programs, a sentence, what to do, and after how many seconds to try again."""

    reason: str
    detail: str
    hint: str
    seconds: int


AWAY = Unavailable(
    "away",
    "The store does not answer.",
    "Send it again: that is safe for alerts. If this goes on, start the store or mend the way to it.",
    SOON,
)
SLOW = Unavailable(
    "slow",
    "The store did not take this in time.",
    "Send it again: that is safe for alerts. If this goes on, look at the load and the disk of the store.",
    SOON,
)
FULL = Unavailable(
    "full",
    "The store is full: its memory limit is reached, so nothing was accepted.",
    "Raise its maxmemory, or let it keep less; then send it again.",
    LATER,
)
DISK = Unavailable(
    "disk",
    "The store cannot write to its disk, so nothing was accepted.",
    "Make room on its disk or mend it; then send it again.",
    LATER,
)
READ_ONLY = Unavailable(
    "read-only",
    "The store is read-only, so nothing was accepted.",
    "It is a replica, or has lost its own: point Tocsin at the primary; then send it again.",
    LATER,
)
LOADING = Unavailable(
    "loading",
    "The store has just started and is still loading, so nothing was accepted.",
    "Send it again; it is ready when all of its data is in memory.",
    SOON,
)
DENIED = Unavailable(
    "denied",
    "The store refuses the password or the rights of Tocsin, so nothing was accepted.",
    "Mend the user and the password in the address of the store; then send it again.",
    LATER,
)

# The first that stands in what the store, or the library that connects to it, said. Codes are whole words of its own.
SAID = (
    ("OOM ", FULL),
    ("MISCONF", DISK),
    ("READONLY", READ_ONLY),
    ("NOREPLICAS", READ_ONLY),
    ("MASTERDOWN", READ_ONLY),
    ("read only replica", READ_ONLY),
    ("LOADING", LOADING),
    ("loading the dataset", LOADING),
    ("NOAUTH", DENIED),
    ("WRONGPASS", DENIED),
    ("NOPERM", DENIED),
    ("Authentication required", DENIED),
    ("invalid password", DENIED),
    ("invalid username-password", DENIED),
    ("imed out", SLOW),
    ("imeout", SLOW),
    ("too long", SLOW),
    ("keeps others waiting", SLOW),
)


def unavailable(error: TocsinError) -> Unavailable:
    """Return why the store takes nothing, by what an error says of it."""
    text = str(error)
    return next((why for said, why in SAID if said in text), AWAY)
