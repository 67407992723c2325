"""Objectives that people check: met or not, by whom, and what that comes to. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident, Objective
from incidents.timeline import Entry, EntryKind
from incidents.transitions.objectives import MANUAL, unmet_objectives
from incidents.transitions.outcome import Context, Transition, changed, unchanged
from incidents.transitions.people import clear_due, on_it


class UnfitObjective(TransitionNotAllowed):
    """Somebody checks an objective that there is not, or that is measured."""

    def __init__(self, incident: Incident, name: str, why: str) -> None:
        manual = [each.id for each in incident.objectives if each.kind == MANUAL]
        self.why = f"Objective {name!r} {why}."
        self.advice = f"People check {', '.join(manual)}." if manual else "It has no objective that people check."
        super().__init__(incident.status.value, "ObjectiveChecked", f"{self.why} {self.advice}")


def objective_checked(
    incident: Incident, event: events.ObjectiveChecked, context: Context, now: datetime
) -> Transition:
    """Keep whether an objective is met, by whom; when all are met it resolves by itself, unless it is held."""
    known = _known(incident, event.id)
    if event.met is (known.met_at is not None):
        by = f" by {known.met_by}" if known.met_by else ""
        return unchanged(f"{'met already' if event.met else 'not met before'}{by}")
    met_at, met_by = (now, event.actor) if event.met else (None, "")
    new = replace(known, met_at=met_at, met_by=met_by, note=event.note)
    after = replace(
        on_it(incident, event.actor, now),
        objectives=tuple(new if each.id == new.id else each for each in incident.objectives),
    )
    entry = _entry(new, event, now)
    ended = clear_due(after, events.ClearDue(), context, now)
    if ended.incident is not None:
        resolved = replace(ended.incident, version=incident.version + 1)
        return ended._replace(incident=resolved, entries=(entry, *ended.entries), reason="met, and resolved")
    unmet = unmet_objectives(after, context.alerts, now)
    reason = "objective met" if event.met else "objective unmet"
    if event.met and not unmet and incident.is_held:
        reason = "objective met; all are met, and a person resolves it"
    return changed(incident, after, (entry,), reason=reason)


def _known(incident: Incident, name: str) -> Objective:
    found = next((each for each in incident.objectives if each.id == name), None)
    if found is None:
        raise UnfitObjective(incident, name, "is none of this incident")
    if found.kind != MANUAL:
        raise UnfitObjective(incident, name, f"is measured ({found.kind}), and nobody checks it by hand")
    return found


def _entry(objective: Objective, event: events.ObjectiveChecked, now: datetime) -> Entry:
    kind = EntryKind.OBJECTIVE_MET if event.met else EntryKind.OBJECTIVE_UNMET
    said = f"{event.actor} checked: met" if event.met else f"{event.actor} says that it is not met after all"
    text = f"{said}: {objective.text or objective.id}" + (f" ({event.note})" if event.note else "")
    return Entry(at=now, kind=kind, actor=event.actor, text=text, data={"id": objective.id, "met": event.met})
