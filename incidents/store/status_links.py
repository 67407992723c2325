"""Which links of status pages were ended before they expired."""

from datetime import datetime

from incidents import keys
from incidents.clock import from_ms, to_ms
from incidents.status_page import LONGEST
from incidents.store.connection import Link

_KEPT_MS = int(LONGEST.total_seconds() * 1000)


def end_links(link: Link, incident_id: str, now: datetime) -> None:
    """End every link of an incident's status page that was made until now; raises `StoreUnavailable`."""
    link.one("SET", keys.status_links_ended(incident_id), to_ms(now), "PX", _KEPT_MS)


def ended_at(link: Link, incident_id: str) -> datetime | None:
    """Return when the links of an incident's status page were ended last; None where none was that could hold."""
    stored = link.one("GET", keys.status_links_ended(incident_id))
    return from_ms(int(stored)) if stored is not None else None
