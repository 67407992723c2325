"""What the journal keeps of one event: the event as it came, and what was decided about it. Pure values.

Each is one line of JSON in the files, so names are a format: `v` tells later versions what they read.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from incidents.alert import Alert
from incidents.incoming import Incoming

VERSION = 1


class Kind(StrEnum):
    """What kind of event a line is about."""

    ALERT = "alert"
    INCOMING = "incoming"  # more than an alert: what people did elsewhere, an action, a fact
    TIMER = "timer"
    UNREADABLE = "unreadable"  # an entry of the stream that no version here could read


class Became(StrEnum):
    """What an event changed."""

    FIRED = "fired"
    RESOLVED = "resolved"
    RESOLVED_UNSEEN = "resolved_unseen"
    JUDGED_ANEW = "judged_anew"  # a repeat, under rules that had not judged the alert yet
    TAKEN = "taken"  # it took effect, and was no change of an alert
    REPEATED = "repeated"
    LATE = "late"
    DUPLICATE = "duplicate"  # its delivery had taken effect already
    QUARANTINED = "quarantined"


CODES = {
    Became.FIRED: "f",
    Became.RESOLVED: "r",
    Became.RESOLVED_UNSEEN: "u",
    Became.JUDGED_ANEW: "j",
    Became.TAKEN: "t",
    Became.REPEATED: "s",
    Became.LATE: "l",
    Became.DUPLICATE: "d",
    Became.QUARANTINED: "q",
}
WORDS = {code: became for became, code in CODES.items()}
NOTHING_NEW = frozenset({Became.REPEATED, Became.LATE, Became.DUPLICATE})


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one condition of a tier answered: what there was, what the rule wants, when time alone could change it."""

    tier: int
    condition: str
    state: str
    got: str = ""
    wanted: str = ""
    due: datetime | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one rule that matched said; `incident` is the open one that the event belongs to by this rule."""

    rule: str
    outcome: str
    tier: int = 0
    incident: str = ""
    due: datetime | None = None
    error: str = ""
    answers: tuple[Answer, ...] = ()


class Did(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an event wrote on the timeline of an incident: the kinds of the entries, and who was paged.

    `absorbed` are the rules whose findings the incident took in, for it is a storm.
    """

    incident: str
    entries: tuple[str, ...] = ()
    paged: tuple[str, ...] = ()
    absorbed: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What was decided about one event beyond what it changed."""

    said: tuple[Said, ...] = ()
    did: tuple[Did, ...] = ()
    error: str = ""  # why it went to quarantine


class TimerRan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A timer that ran, and what was decided then."""

    timer: str
    due_at: datetime
    decision: Decision = Decision()


class Decided(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the decider says of one batch: the value of an entry of the stream of decisions.

    The batch took the events of the intake's stream after the cursor `start` up to the cursor `end`. `became` has one
    letter (`CODES`) for each of them; `decisions` spells out those about which there is more to say, by their place.
    """

    v: int = VERSION
    start: str
    end: str
    at: datetime
    rules: str
    became: str = ""
    decisions: dict[int, Decision] = {}
    timers: tuple[TimerRan, ...] = ()
    unreadable: dict[str, str] = {}  # entries without any event that could be read -> why

    @property
    def lines(self) -> int:
        """How many lines of the journal it stands for."""
        return len(self.became) + len(self.timers) + len(self.unreadable)


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a line says whatever the event is."""

    v: int = VERSION
    id: str  # `ENTRY.INDEX` of the intake's stream, `ENTRY.tINDEX` of the stream of decisions for a timer
    kind: Kind
    source: str = ""
    received_at: datetime
    decided_at: datetime
    rules: str  # the hash of the rule set that was in force
    became: Became
    timer: str = ""
    due_at: datetime | None = None
    text: str = ""  # of what could not be read
    said: tuple[Said, ...] = ()
    did: tuple[Did, ...] = ()
    error: str = ""


class Recorded(_Line, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One event of the journal as it is read."""

    alert: Alert | None = None
    incoming: Incoming | None = None

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its alert, none where it has no alert."""
        alert = self.alert or (self.incoming.alert if self.incoming else None)
        return alert.labels if alert is not None else {}


class Writing(_Line, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One event of the journal as it is written: the event's own JSON is put in as it came off the stream."""

    alert: msgspec.Raw | None = None
    incoming: msgspec.Raw | None = None


encode_line = msgspec.json.Encoder().encode
decode_line = msgspec.json.Decoder(Recorded).decode
encode_decided = encode_line
decode_decided = msgspec.json.Decoder(Decided).decode
