"""A page: telling one person now, expecting an acknowledgement. Pure values."""

from datetime import datetime

import msgspec

from incidents.values import PageReason


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of one step to one person (or to a named channel), with how far its delivery has come."""

    v: int = 1
    id: str
    over: bool = False  # tells that it is over (`page_resolved`), and expects nothing back
    incident_id: str
    person: str  # a person's id, or `channel:NAME`
    role: str | None
    step: int
    round: int
    reason: PageReason
    ruleset: str  # the rule set whose people and channels it was made from
    created_at: datetime
    received_at: datetime  # of the event that led to it
    attempt: int = 0
    channel_index: int = 0
    channel_attempts: int = 0  # on the present channel
    unanswered: bool = False  # an attempt began and its end was never recorded: the next is a repeat


CHANNEL_PREFIX = "channel:"
