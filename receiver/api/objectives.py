"""Resolution objectives over the API: how each stands by what is measured now, and those that people check."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from incidents import events
from incidents.facts import Fact, fact_id
from incidents.incident import AlertTally, Incident, Objective
from incidents.presentation import instant
from incidents.store.facts import FactStore
from incidents.transitions import UnfitObjective
from incidents.transitions.objectives import unmet_objectives
from receiver.api import wire
from receiver.api.answers import Answer, Cursor, Instant
from receiver.api.commands import apply, command, note_of, reply_of
from receiver.api.incidents import checked_id
from receiver.api.reading import unfit
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole
from rules.measuring import Measurement, from_params, measure, span
from rules.questions import Measure, question_of
from rules.slos import Slo

CLEAR = "alerts_clear_for"


class ObjectiveBody(wire.Body, frozen=True, kw_only=True):
    """Whether an objective is met that people check."""

    id: wire.Name
    met: bool
    note: wire.Text | None = None


class ObjectiveStandingAnswer(Answer, frozen=True, kw_only=True):
    """One objective as it stands now; `measured` says what there is, and `met_at` since when it is met."""

    id: str
    text: str
    kind: str
    met: bool
    met_at: Instant | None
    met_by: str | None
    note: str
    measured: str


class ObjectivesAnswer(Answer, frozen=True, kw_only=True):
    """The objectives of an incident; where it is `held`, a person resolves it though all of them are met."""

    objectives: list[ObjectiveStandingAnswer]
    held: bool
    next: Cursor


class _Known(NamedTuple):
    """What measuring looks at: the SLOs in force, and the last answers of Prometheus."""

    slos: Mapping[str, Slo]
    facts: Mapping[str, Fact | None]

    def fact(self, name: str) -> Fact | None:
        """Return the last answer to a question."""
        return self.facts.get(name)

    def want(self, promql: str) -> None:
        """Ask for nothing: the incident asks."""


def _show(services: Services, call: Call) -> Reply:
    incident, alerts = services.api.incidents.get(checked_id(call))
    unmet = {each.id for each in unmet_objectives(incident, alerts, call.now)}
    measured = _measured(services, incident, call.now)
    shown = []
    for each in incident.objectives:
        met = each.id not in unmet
        since, said = _clear(each, alerts, call.now) if each.kind == CLEAR else (each.met_at, "")
        found = measured.get(each.id)
        shown.append(
            {
                "id": each.id,
                "text": each.text,
                "kind": each.kind,
                "met": met,
                "met_at": instant(since if met else None),
                "met_by": (each.met_by or None) if met else None,
                "note": each.note,
                "measured": found.got if found is not None else said,
            }
        )
    return Reply({"objectives": shown, "held": incident.is_held, "next": None})


def _clear(objective: Objective, alerts: AlertTally, now: datetime) -> tuple[datetime | None, str]:
    """Return since when the alerts are clear for long enough, and how it stands."""
    if alerts.firing > 0:
        return None, f"{alerts.firing} {'alert fires' if alerts.firing == 1 else 'alerts fire'}"
    if alerts.clear_since is None:
        return None, "no alert belongs to it"
    wanted = timedelta(seconds=objective.seconds)
    return alerts.clear_since + wanted, f"clear for {span(min(now - alerts.clear_since, wanted))} of {span(wanted)}"


def _measured(services: Services, incident: Incident, now: datetime) -> dict[str, Measurement]:
    measures: dict[str, Measure] = {}
    for each in incident.objectives:
        found = from_params(each.kind, each.params) if each.params else None
        if found is not None:
            measures[each.id] = found
    if not measures:
        return {}
    slos, labels = services.api.rule_set().slos, incident.identity
    names = [fact_id(question_of(each, slos, labels)) for each in measures.values()]
    known = _Known(slos, FactStore(services.api.links).facts(names))
    return {name: measure(each, labels, known, now) for name, each in measures.items()}


def _check(services: Services, call: Call) -> Reply:
    body: ObjectiveBody = call.body
    event = events.ObjectiveChecked(actor=call.actor, id=body.id, met=body.met, note=note_of(body.note))
    try:
        return reply_of(apply(services, call, event))
    except UnfitObjective as error:
        raise unfit("/id", error.why, error.advice) from error


ROUTES = (
    Route(
        method="GET",
        path="/incidents/{incident_id}/objectives",
        role=ApiRole.VIEWER,
        summary="Show how each resolution objective stands now",
        handler=_show,
        answer=ObjectivesAnswer,
    ),
    command(
        "objectives",
        "Say whether an objective is met that people check; when all are met it resolves, unless it is held",
        _check,
        ObjectiveBody,
    ),
)
