"""What Prometheus measured of an incident: its objectives, and the budget that it burnt once it is over. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.incident import Incident
from incidents.timeline import SYSTEM, Entry, EntryKind
from incidents.transitions.outcome import Context, Transition, changed, unchanged
from incidents.transitions.people import clear_due


def objectives_measured(
    incident: Incident, event: events.ObjectivesMeasured, context: Context, now: datetime
) -> Transition:
    """Note which measured objectives are met and which no longer are; when all are met, it resolves by itself."""
    entries: list[Entry] = []
    objectives = []
    for objective in incident.objectives:
        met = event.met.get(objective.id)
        if met is None or met is (objective.met_at is not None):
            objectives.append(objective)
            continue
        objectives.append(replace(objective, met_at=now if met else None, met_by=SYSTEM if met else ""))
        kind = EntryKind.OBJECTIVE_MET if met else EntryKind.OBJECTIVE_UNMET
        text = f"{'Met' if met else 'No longer met'}: {objective.text}"
        said = event.said.get(objective.id, "")
        entries.append(Entry(at=now, kind=kind, text=text, data={"id": objective.id, "measured": said}))
    after = replace(incident, objectives=tuple(objectives)) if entries else incident
    ended = clear_due(after, events.ClearDue(), context, now)
    if ended.incident is not None:
        return ended._replace(entries=(*entries, *ended.entries))
    if not entries:
        return unchanged("nothing new was measured")
    return changed(incident, after, tuple(entries), reason="objectives measured")


def budget_measured(incident: Incident, event: events.BudgetMeasured, context: Context, now: datetime) -> Transition:
    """Keep how much of an error budget the incident burnt, for its post-mortem."""
    del context
    burnt = event.burnt
    if incident.resolved_at != burnt.at:
        return unchanged("it was reopened in the meantime")
    others = tuple(each for each in incident.burnt if each.slo != burnt.slo)
    if burnt.minutes is None:
        text = f"How much of the error budget of {burnt.slo} it burnt is not known: {burnt.why}"
    else:
        share = f"{100 * burnt.minutes / burnt.of_minutes:.3g} %" if burnt.of_minutes else "all"
        budget = f"the {burnt.of_minutes:.4g} minutes of error budget of {burnt.slo}"
        text = f"It burnt {burnt.minutes:.3g} of {budget}: {share}"
    data = {"slo": burnt.slo, "minutes": burnt.minutes, "of_minutes": burnt.of_minutes}
    entry = Entry(at=now, kind=EntryKind.NOTE, text=text, data={name: value for name, value in data.items() if value})
    return changed(incident, replace(incident, burnt=(*others, burnt)), (entry,), reason="budget measured")
