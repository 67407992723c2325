"""Post-incident actions: written down and changed by people, also long after the end. Pure."""

from datetime import datetime
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from incidents import events
from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident
from incidents.post_incident_actions import ActionState, Overdue, PostIncidentAction
from incidents.timeline import Entry, EntryKind
from incidents.transitions.outcome import Context, Transition, changed, unchanged

MOST_ACTIONS = 200  # of one incident


class UnfitAction(TransitionNotAllowed):
    """Somebody changes an action that there is not, or writes one too many down."""

    def __init__(self, incident: Incident, why: str) -> None:
        self.why = why
        super().__init__(incident.status.value, "PostIncidentActionWritten", why)


def action_written(
    incident: Incident, event: events.PostIncidentActionWritten, context: Context, now: datetime
) -> Transition:
    """Write an action down, or change one."""
    del context
    before = _known(incident, event.id) if event.id else None
    if before is None:
        new = _new(incident, event, now)
        actions = (*incident.post_incident_actions, new)
    else:
        new = _changed(before, event)
        if new == before:
            return unchanged("nothing to change")
        new = replace(new, changed_at=now)
        actions = tuple(new if each.id == new.id else each for each in incident.post_incident_actions)
    entry = _entry(before, new, event.actor, now)
    after = replace(incident, post_incident_actions=actions)
    return changed(incident, after, (entry,), reason=f"post-incident action {new.id}")


def _known(incident: Incident, name: str) -> PostIncidentAction:
    found = next((each for each in incident.post_incident_actions if each.id == name), None)
    if found is None:
        there = ", ".join(each.id for each in incident.post_incident_actions) or "none"
        raise UnfitAction(incident, f"{incident.id} has no post-incident action {name!r}: there is {there}.")
    return found


def _new(incident: Incident, event: events.PostIncidentActionWritten, now: datetime) -> PostIncidentAction:
    if len(incident.post_incident_actions) >= MOST_ACTIONS:
        raise UnfitAction(incident, f"{incident.id} has {MOST_ACTIONS} post-incident actions, which is the most.")
    last = max((int(each.id) for each in incident.post_incident_actions), default=0)
    return PostIncidentAction(
        id=str(last + 1),
        text=event.text or "",
        owner=event.owner or "",
        due=None if event.due is UNSET else event.due,
        link=event.link or "",
        state=event.state or ActionState.OPEN,
        at=now,
        by=event.actor,
    )


def _changed(before: PostIncidentAction, event: events.PostIncidentActionWritten) -> PostIncidentAction:
    given = {name: getattr(event, name) for name in ("text", "owner", "link", "state")}
    kept = {name: value for name, value in given.items() if value is not None}
    due = before.due if event.due is UNSET else event.due
    return replace(before, due=due, **kept)


def _entry(before: PostIncidentAction | None, new: PostIncidentAction, actor: str, now: datetime) -> Entry:
    facts = [
        f"owner {new.owner}" if new.owner else "",
        f"due {new.due:%Y-%m-%d}" if new.due else "",
        new.link,
    ]
    told = ", ".join(fact for fact in facts if fact)
    if before is None:
        what = f"{actor} wrote post-incident action {new.id} down"
    elif before.state is not new.state:
        what = f"{actor} says that post-incident action {new.id} is {new.state}"
    else:
        what = f"{actor} changed post-incident action {new.id}"
    text = f"{what}: {new.text}" + (f" ({told})" if told else "")
    data: dict[str, Any] = {"id": new.id, "state": new.state.value, "owner": new.owner, "link": new.link}
    data["due"] = new.due.isoformat() if new.due else ""
    present = {name: value for name, value in data.items() if value}
    return Entry(at=now, kind=EntryKind.POST_INCIDENT_ACTION, actor=actor, text=text, data=present)


def overdue_entries(overdue: tuple[Overdue, ...], now: datetime) -> tuple[Entry, ...]:
    """Return the note of what was to be done after earlier incidents of the same rule, and is overdue."""
    if not overdue:
        return ()
    number = sum(each.count for each in overdue)
    which = "an earlier incident" if len(overdue) == 1 else f"{len(overdue)} earlier incidents"
    are = "action is" if number == 1 else "actions are"
    text = f"{number} post-incident {are} overdue, of {which} of the same rule"
    # Which ones stands in the incident: one of them may be restricted later, and what is written here stays.
    return (Entry(at=now, kind=EntryKind.NOTE, text=text, data={"overdue_actions": number}),)


def told_overdue(overdue: tuple[Overdue, ...]) -> str:
    """Return `2 post-incident actions of INC-2026-0001 are overdue`, for each incident."""
    total = sum(each.count for each in overdue)
    parts = [f"{each.count} post-incident action{'s' if each.count > 1 else ''} of {each.incident}" for each in overdue]
    return f"{', '.join(parts)} {'is' if total == 1 else 'are'} overdue"
