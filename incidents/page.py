"""A page: telling one person now, expecting an acknowledgement; and what is only told. Pure values."""

from datetime import datetime
from enum import StrEnum

import msgspec

from incidents.values import PageReason


class News(StrEnum):
    """What is told where nothing is expected back."""

    OVER = "over"
    ACKNOWLEDGED = "acknowledged"  # only to providers that page on their own
    ANNOUNCEMENT = "announcement"
    ROLE = "role"  # to whom a role was given, or from whom it was taken
    TOLD = "told"  # to a person: a task, a review that is due
    COMMUNICATION = "communication"  # to an audience, in the words of a person


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of one step to one person (or to a named channel), with how far its delivery has come."""

    v: int = 1
    id: str
    over: bool = False  # tells something, by `news`, and expects nothing back
    news: News = News.OVER
    text: str = ""  # of an announcement
    incident_id: str
    person: str  # a person's id, or `channel:NAME`
    channel: str = ""  # only over this channel of the person's, by its name
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
    handover: bool = False  # asks to take the command over, whether or not anybody is on it
    audience: str = ""  # of a communication
    bare: bool = False  # bears nothing of the incident but its id
    unanswered: bool = False  # an attempt began and its end was never recorded: the next is a repeat


CHANNEL_PREFIX = "channel:"
