"""What maintenance held back: paged when it is over and something still fires, or at once when it ends early. Pure.

While nothing fires at its end, an incident stays held: the next alert that fires outside of any maintenance pages.
"""

from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.incident import Incident
from incidents.maintenance import Hold, held_until, names_of
from incidents.paging import steps
from incidents.timeline import Entry, EntryKind
from incidents.transitions.outcome import Context, Transition, changed, unchanged

_QUIET = "nothing fires, so nobody is paged until something does"


def is_held(incident: Incident) -> bool:
    """Whether maintenance holds the paging of an incident back."""
    return incident.paging is not None and bool(incident.paging.holds)


def is_end_near(entry: Entry) -> bool:
    """Whether an entry reminds of the end of a maintenance."""
    return entry.kind is EntryKind.REMINDER and "maintenance" in entry.data


def held_step_due(incident: Incident, context: Context, now: datetime) -> Transition:
    """Remind of an end that is near; page when it has come."""
    holds = incident.paging.holds if incident.paging is not None else ()
    until = held_until(holds, now)
    if until is None:
        return _over(incident, holds, context, now)
    text = f"Maintenance {names_of(holds)} ends at {until:%Y-%m-%d %H:%M %Z}: what still fires then is paged"
    entry = Entry(at=now, kind=EntryKind.REMINDER, text=text, data=_data(holds))
    return changed(incident, _looked_at(incident, holds, until), (entry,), reason="end of maintenance near")


def hold_changed(incident: Incident, event: events.HoldChanged, context: Context, now: datetime) -> Transition:
    """Page what is no longer held, by whom it was ended or because an alert outside of the maintenance fires."""
    if incident.paging is None or not incident.paging.holds:
        return unchanged("not held")
    holds = incident.paging.holds
    if not event.ended:
        until = held_until(event.holds, now)
        if until is not None:
            return changed(incident, _looked_at(incident, event.holds, steps.looked_at(until, now)), (), reason="held")
        return _paged(incident, "An alert outside of it fires", holds, context, now)
    rest = tuple(hold for hold in holds if hold.id != event.ended)
    if rest == holds:
        return unchanged("not held by it")
    until = held_until(rest, now)
    if until is None:
        return _over(incident, holds, context, now, actor=event.actor)
    return changed(incident, _looked_at(incident, rest, steps.looked_at(until, now)), (), reason="held by another")


def _over(
    incident: Incident, holds: tuple[Hold, ...], context: Context, now: datetime, *, actor: str = ""
) -> Transition:
    by = f" (ended by {actor})" if actor else ""
    over = f"Maintenance {names_of(holds)} is over{by}"
    alerts = context.alerts
    if alerts.resolved and not alerts.firing:
        entry = Entry(at=now, kind=EntryKind.NOTE, text=f"{over}; {_QUIET}", data=_data(holds))
        return changed(incident, _looked_at(incident, holds, None), (entry,), reason="nothing fires")
    return _paged(incident, over, holds, context, now)


def _paged(incident: Incident, why: str, holds: tuple[Hold, ...], context: Context, now: datetime) -> Transition:
    called = steps.release(incident, context.oncall, now=now)
    text = f"{why}: what maintenance {names_of(holds)} held back is paged now"
    entry = Entry(at=now, kind=EntryKind.NOTE, text=text, data=_data(holds))
    return changed(incident, called.incident, (entry, *called.entries), called.pages, reason="paged after maintenance")


def _looked_at(incident: Incident, holds: tuple[Hold, ...], at: datetime | None) -> Incident:
    assert incident.paging is not None  # noqa: S101 - it is held
    return replace(incident, paging=replace(incident.paging, holds=holds, next_at=at))


def _data(holds: tuple[Hold, ...]) -> dict[str, list[str]]:
    return {"maintenance": [hold.id for hold in holds]}
