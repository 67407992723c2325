"""The transition table: what each event does to an incident of each status. Pure.

Every change of an incident, from every side, goes through `transition`. A pair of status and event that is not in the
table is an error with a name; a wanted "nothing happens" is a row of its own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from incidents import events
from incidents.document.review import with_review
from incidents.errors import MergedAway, TransitionNotAllowed
from incidents.incident import Incident
from incidents.paging.repaging import with_repage
from incidents.teams import DEFAULT_TEAM, of_team
from incidents.timeline import SYSTEM
from incidents.transitions.checked import UnfitObjective, objective_checked
from incidents.transitions.communications import communicated
from incidents.transitions.declaring import declare, declare_by_hand
from incidents.transitions.document import (
    StaleDocument,
    document_edited,
    review_due,
    stakeholder_added,
    task_given,
)
from incidents.transitions.findings import finding, fires_again, unmeasured
from incidents.transitions.held import hold_changed
from incidents.transitions.measured import budget_measured, objectives_measured
from incidents.transitions.merging import merged_into, taken_in
from incidents.transitions.news import with_news
from incidents.transitions.objectives import clear_for, unmet_objectives
from incidents.transitions.outcome import Context, Transition, UnmetObjectives
from incidents.transitions.pages import page_delivered, page_failed, page_suppressed, stale, step_due
from incidents.transitions.people import (
    acknowledge,
    action_taken,
    clear_due,
    dismiss,
    escalate,
    mitigate,
    note,
    reopen,
    resolve,
    touched,
    unacknowledge,
)
from incidents.transitions.post_incident_actions import UnfitAction, action_written
from incidents.transitions.restored import restored
from incidents.transitions.roles import role_given
from incidents.values import OPEN_STATUSES, IncidentStatus

__all__ = [
    "TABLE",
    "Context",
    "StaleDocument",
    "Transition",
    "UnfitAction",
    "UnfitObjective",
    "UnmetObjectives",
    "clear_for",
    "transition",
    "unmet_objectives",
]

Handler = Callable[[Incident, Any, Context, datetime], Transition]


def transition(incident: Incident | None, event: events.Event, *, context: Context, now: datetime) -> Transition:
    """Return what an event does to an incident (None: there is none yet for its identity).

    Raises `TransitionNotAllowed` for a pair that is not in the table.
    """
    context = _of_team(incident, event, context)
    done = _decide(incident, event, context, now)
    if done.incident is not None:
        heard = not isinstance(event, events.FindingHeld) and getattr(event, "actor", SYSTEM) != SYSTEM
        after = with_repage(done.incident, context.oncall, heard=heard, now=now)
        done = done._replace(incident=with_review(incident, after, context.oncall, now))
    return with_news(incident, event, done, context, now)


def _of_team(incident: Incident | None, event: events.Event, context: Context) -> Context:
    """Return the context with the rotations, policies and announcements of the team whose incident it is."""
    if not context.oncall.teams:
        return context
    team = incident.team if incident is not None else getattr(event, "team", DEFAULT_TEAM)
    return replace(context, oncall=of_team(context.oncall, team))


def _decide(incident: Incident | None, event: events.Event, context: Context, now: datetime) -> Transition:
    if incident is None:
        if isinstance(event, events.FindingHeld):
            return declare(event, context, now)
        if isinstance(event, events.DeclaredByHand):
            return declare_by_hand(event, context, now)
        raise TransitionNotAllowed("not declared", type(event).__name__)
    if incident.merged_into and type(event) not in ON_MERGED:
        raise MergedAway(incident.id, incident.merged_into, incident.status.value, type(event).__name__)
    handler = TABLE.get((incident.status, type(event)))
    if handler is None:
        raise TransitionNotAllowed(incident.status.value, type(event).__name__)
    return handler(incident, event, context, now)


# What comes too late for a closed incident, and is no mistake.
PASSING = (
    events.ClearDue,
    events.StepDue,
    events.HoldChanged,
    events.Touched,
    events.Unmeasured,
    events.ObjectivesMeasured,
    events.ReviewDue,
)
# What an incident that is part of another still takes: what became of its own pages, and what comes too late.
ON_MERGED = frozenset({*PASSING, events.BudgetMeasured, events.PageDelivered, events.PageFailed, events.PageSuppressed})
CLOSED = (IncidentStatus.RESOLVED, IncidentStatus.DISMISSED)


def _rows() -> dict[tuple[IncidentStatus, type], Handler]:
    table: dict[tuple[IncidentStatus, type], Handler] = {}
    on_open: dict[type, Handler] = {
        events.FindingHeld: finding,
        events.Acknowledge: acknowledge,
        events.Mitigate: mitigate,
        events.Resolve: resolve,
        events.ClearDue: clear_due,
        events.Dismiss: dismiss,
        events.Escalate: escalate,
        events.StepDue: step_due,
        events.Unacknowledge: unacknowledge,
        events.RoleGiven: role_given,
        events.HoldChanged: hold_changed,
        events.Touched: touched,
        events.Unmeasured: unmeasured,
        events.ObjectivesMeasured: objectives_measured,
        events.BudgetMeasured: stale,
        events.ReviewDue: review_due,
        events.MergedInto: merged_into,
        events.TakenIn: taken_in,
        events.ObjectiveChecked: objective_checked,
        events.Restored: restored,
    }
    for status in OPEN_STATUSES:
        table.update({(status, event): handler for event, handler in on_open.items()})
    for status in CLOSED:
        table.update({(status, event): stale for event in PASSING})
        table[status, events.Reopen] = reopen
    table[IncidentStatus.RESOLVED, events.FindingHeld] = fires_again
    table[IncidentStatus.RESOLVED, events.BudgetMeasured] = budget_measured
    table[IncidentStatus.DISMISSED, events.BudgetMeasured] = stale
    for status in IncidentStatus:
        table[status, events.Note] = note
        table[status, events.ActionTaken] = action_taken
        table[status, events.DocumentEdited] = document_edited
        table[status, events.Communicated] = communicated
        table[status, events.StakeholderAdded] = stakeholder_added
        table[status, events.TaskGiven] = task_given
        table[status, events.PostIncidentActionWritten] = action_written
        table[status, events.PageDelivered] = page_delivered
        table[status, events.PageFailed] = page_failed
        table[status, events.PageSuppressed] = page_suppressed
    return table


TABLE: Mapping[tuple[IncidentStatus, type], Handler] = _rows()
