"""What a restored backup does to an open incident: its paging stops until somebody begins it again. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.incident import Incident
from incidents.paging import steps
from incidents.timeline import Entry, EntryKind
from incidents.transitions.outcome import Context, Transition, changed


def restored(incident: Incident, event: events.Restored, context: Context, now: datetime) -> Transition:
    """Page nobody: who was due to be paged then may be on it, or it may be over; and say so on the timeline."""
    del context
    quiet = steps.stop(incident)
    if quiet.paging is not None and quiet.paging.repage_at is not None:
        quiet = replace(quiet, paging=replace(quiet.paging, repage_at=None))
    rested = replace(incident, review_due_at=None)  # a review that was due meanwhile is not reminded of at once
    text = f"Restored from the backup of {event.of:%Y-%m-%d %H:%M:%S %Z}"
    data = {"of": event.of.isoformat(), "reason": "restored"}
    if quiet is incident:
        return changed(incident, rested, (Entry(at=now, kind=EntryKind.NOTE, text=text, data=data),), reason="noted")
    text += ": nobody is paged for it any more; `tocsin incidents escalate` begins again"
    entry = Entry(at=now, kind=EntryKind.PAGE_SUPPRESSED, text=text, data=data)
    return changed(incident, replace(rested, paging=quiet.paging), (entry,), reason="paging stopped")
