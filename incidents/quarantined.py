"""What went to quarantine, as it is kept. Pure."""

from datetime import datetime

import msgspec


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """An event in quarantine, as it is stored."""

    v: int = 1
    id: str
    at: datetime
    source: str
    reason: str
    text: str  # what arrived, or the event as JSON
