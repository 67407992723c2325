"""The journal's side of the store: what the decider leaves for it, how far it has come, and what it missed.

In the hash: `decided` and `written` count lines that were to be written and those that were, `position` is the last
entry of the stream of decisions on the disk, `drops` how often the decider went on without the journal, `error` why it
cannot be written now, `wrote_at` when it last was (ms).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from incidents import keys
from incidents.clock import from_ms, to_ms
from incidents.measures import Measures
from incidents.store.connection import Command, Link, checked
from incidents.store.scripts import RELEASE

LEASE_MS = 10_000
EXPECTED_SECONDS = 600  # how long what is decided is kept for a journal that nobody writes
EVENTS_AT_MOST = 1_000_000
BYTES_AT_MOST = 1024**3
SAMPLES = 5
ERROR_CHARACTERS = 300

# KEYS lease, expected. ARGV owner, milliseconds of the lease, seconds of the other. Answers 1 when the lease is ours.
HOLD = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[3])
return 1
"""

# KEYS lease, journal, counters, decisions, stream. ARGV owner, position, lines written, lines whose event was gone,
# drops that were known, milliseconds, field of the counter, entry of the stream up to which all is written.
# Answers 0 when the lease is another's. After a drop the lines are counted already.
ADVANCE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'position', ARGV[2], 'wrote_at', ARGV[6])
redis.call('HDEL', KEYS[2], 'error')
if (redis.call('HGET', KEYS[2], 'drops') or '0') == ARGV[5] then
  redis.call('HINCRBY', KEYS[2], 'written', ARGV[3] + ARGV[4])
  if ARGV[4] ~= '0' then redis.call('HINCRBY', KEYS[3], ARGV[7], ARGV[4]) end
end
redis.call('XTRIM', KEYS[4], 'MINID', '~', ARGV[2])
redis.call('XTRIM', KEYS[5], 'MINID', '~', ARGV[8])
return 1
"""

# KEYS journal, decisions, counters, expected. ARGV 1 to go on without a journal that is expected, field of the counter.
# Answers how many lines will never be written.
DROP = """
if ARGV[1] == '0' and redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
local counted = redis.call('HMGET', KEYS[1], 'decided', 'written')
local lost = tonumber(counted[1] or '0') - tonumber(counted[2] or '0')
redis.call('XTRIM', KEYS[2], 'MAXLEN', 0)
if lost <= 0 then return 0 end
redis.call('HINCRBY', KEYS[3], ARGV[2], lost)
redis.call('HSET', KEYS[1], 'written', counted[1])
redis.call('HINCRBY', KEYS[1], 'drops', 1)
return lost
"""


class Standing(NamedTuple):
    """How the journal stands."""

    expected: bool = False  # its writer gave a sign within the last ten minutes
    alive: bool = False  # a writer is at work
    decided: int = 0
    written: int = 0
    position: str = "0-0"
    drops: int = 0
    error: str = ""
    wrote_at: datetime | None = None

    @property
    def is_well(self) -> bool:
        """Whether it is being written."""
        return self.alive and not self.error

    @property
    def lag(self) -> int:
        """How many lines are still to be written."""
        return max(self.decided - self.written, 0)


def standing_commands() -> list[Command]:
    """Return what asks how the journal stands."""
    return [
        ("EXISTS", keys.journal_expected()),
        ("EXISTS", keys.journal_lease()),
        ("HGETALL", keys.journal()),
    ]


def standing_of(replies: Sequence[Any]) -> Standing:
    """Read the replies to `standing_commands`."""
    expected, alive, flat = replies
    fields = {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
    return Standing(
        expected=bool(expected),
        alive=bool(alive),
        decided=int(fields.get("decided", 0)),
        written=int(fields.get("written", 0)),
        position=fields.get("position", "0-0"),
        drops=int(fields.get("drops", 0)),
        error=fields.get("error", ""),
        wrote_at=from_ms(int(fields["wrote_at"])) if "wrote_at" in fields else None,
    )


def standing(link: Link) -> Standing:
    """Return how the journal stands; raises `StoreUnavailable`."""
    return standing_of(checked(link.ask(standing_commands())))


def expect(link: Link) -> None:
    """Let the decider keep what it decides, for a journal whose writer is about to start."""
    link.one("SET", keys.journal_expected(), "1", "EX", EXPECTED_SECONDS)


def hold(link: Link, owner: str) -> bool:
    """Become or stay the one writer of the journal; False while another is."""
    asked = ("EVAL", HOLD, 2, keys.journal_lease(), keys.journal_expected(), owner, LEASE_MS, EXPECTED_SECONDS)
    return bool(link.one(*asked))


def release(link: Link, owner_prefix: str) -> None:
    """Give the lease up, or take it from who is known to be dead; what is decided is kept for the next writer."""
    link.one("EVAL", RELEASE, 1, keys.journal_lease(), owner_prefix)


def advance(
    link: Link, owner: str, position: str, *, lines: int, gone: int, drops: int, done_entry: str, now: datetime
) -> bool:
    """Say how far the journal has come, and let go of what it has; False when another one writes now."""
    named = (keys.journal_lease(), keys.journal(), keys.counters(), keys.decisions(), keys.stream())
    told = (owner, position, lines, gone, drops, to_ms(now), Measures.JOURNAL_MISSED.field(), done_entry)
    return bool(link.one("EVAL", ADVANCE, len(named), *named, *told))


def tell_error(link: Link, error: str) -> None:
    """Say why the journal cannot be written now."""
    link.one("HSET", keys.journal(), "error", error[:ERROR_CHARACTERS])


def drop_command(*, anyway: bool) -> Command:
    """Return what lets go of all that waits for the journal; not `anyway`: unless its writer is expected."""
    return (
        *("EVAL", DROP, 4, keys.journal(), keys.decisions(), keys.counters(), keys.journal_expected()),
        *(int(anyway), Measures.JOURNAL_MISSED.field()),
    )


def is_too_far_behind(link: Link) -> bool:
    """Whether so much waits for the journal that the store's memory is in danger."""
    *asked, stream, decisions = checked(
        link.ask(
            [
                *standing_commands(),
                ("MEMORY", "USAGE", keys.stream(), "SAMPLES", SAMPLES),
                ("MEMORY", "USAGE", keys.decisions(), "SAMPLES", SAMPLES),
            ]
        )
    )
    lag = standing_of(asked).lag
    return lag > EVENTS_AT_MOST or (lag > 0 and int(stream or 0) + int(decisions or 0) > BYTES_AT_MOST)
