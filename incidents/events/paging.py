"""What becomes of the paging: steps due, attempts, maintenance that ends, a backup that is restored. Pure values."""

from datetime import datetime

import msgspec

from incidents.maintenance import Hold
from incidents.timeline import SYSTEM
from incidents.values import PageReason


class StepDue(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody acknowledged in time: the next step of the paging policy."""


class HoldChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Maintenance no longer holds the paging: what fires is outside of it, or the one named `ended` was ended early."""

    ended: str = ""
    actor: str = SYSTEM
    holds: tuple[Hold, ...] = ()  # what holds it from now on, where nothing was ended


class PageDelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A provider took a page."""

    page_id: str
    person: str
    channel: str
    kind: str
    attempt: int
    repeat: bool
    reason: PageReason
    answer: str = ""  # of the provider, for people
    provider_id: str = ""  # what the provider calls it
    audience: str = ""  # of a communication


class PageFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt did not reach its provider; `again_at` is when it is tried again, None when the page is given up."""

    page_id: str
    person: str
    channel: str
    kind: str
    attempt: int
    error: str
    again_at: datetime | None = None
    permanent: bool = False  # the provider's verdict: trying again on this channel cannot help
    audience: str = ""  # of a communication


class PageSuppressed(msgspec.Struct, frozen=True, kw_only=True):
    """A page was not sent, for it was no longer needed."""

    page_id: str
    person: str
    why: str


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The store was restored from a backup that is of this instant."""

    of: datetime


ByPaging = StepDue | HoldChanged | PageDelivered | PageFailed | PageSuppressed | Restored
