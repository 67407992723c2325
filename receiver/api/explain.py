"""Why an event, an alert or an incident is what it is: from the journal of this host, and from what rules say now."""

import re
import time
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec.structs import replace

from incidents.errors import NotFound
from incidents.incident import Incident
from incidents.journal.lines import Recorded
from incidents.journal.members import entry_id
from incidents.journal.reader import Journal
from incidents.presentation import instant
from incidents.snapshot import Plan, Snapshot
from incidents.store.journal import standing
from incidents.store.looking import load_unwatched, remembered
from receiver.api import answers
from receiver.api.incidents import INCIDENT, check_may_see, checked_id
from receiver.api.reading import LIMIT, bad_parameter, limit_in, text_in
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.problems import Problem
from rules.explain.explaining import Then, recorded
from rules.explain.looking import look, looked
from rules.explain.values import Explanation
from rules.model import RuleSet

SECONDS = 4.0  # a journal is looked through no longer for one question
BEFORE = timedelta(minutes=5)
ENTRY = re.compile(r"(\d{1,15}-\d{1,10})(?:\.(t?\d{1,6}))?", re.ASCII)
OF_EVERY_ALERT = frozenset({"alert_fired", "alert_resolved"})


def _explain(services: Services, call: Call) -> Reply:
    asked = {name: text for name in ("event", "incident", "alert") if (text := text_in(call.query, name))}
    if len(asked) != 1:
        hint = "Give `event`, `incident` or `alert`, one of them."
        raise Problem(HTTPStatus.BAD_REQUEST, f"{len(asked)} things are asked about.", hint=hint)
    ((name, text),) = asked.items()
    summary, explanations = _HOW[name](services, call, text)
    hidden = services.reads.hidden(set(INCIDENT.findall(msgspec.json.encode(explanations).decode())), call.reader)
    shown = [_without(each, hidden) for each in explanations] if hidden else explanations
    plain = msgspec.to_builtins(shown, builtin_types=(datetime,))
    return Reply({"summary": summary, "explanations": [_written(each, hidden) for each in plain], "next": None})


def _without(explanation: Explanation, hidden: frozenset[str]) -> Explanation:
    """Return an explanation that tells what rules say, and not of incidents that the caller may not see."""
    rules = (replace(each, incident="") if each.incident in hidden else each for each in explanation.rules)
    happened = tuple(each for each in explanation.happened if each.incident not in hidden)
    return replace(explanation, rules=tuple(rules), happened=happened)


def _of_event(services: Services, call: Call, text: str) -> tuple[list[str], list[Explanation]]:
    found = ENTRY.fullmatch(text)
    if found is None:
        hint = "It is the `event_id` that the sender was answered: 1762052400000-0; .3 after it is one of its alerts."
        raise bad_parameter("event", f"{text[:64]!r} is no event.", hint)
    events = _journal(services).of_entry(entry_id(found[1]))
    if found[2]:
        events = [event for event in events if event.id == text]
    if not events:
        raise _not_recorded(services, f"the event {text}")
    limit = limit_in(call.query)
    summary = [f"{len(events)} events came together; the first {limit} are explained."] if len(events) > limit else []
    return summary, [_recorded(services, event) for event in events[:limit]]


def _of_alert(services: Services, call: Call, text: str) -> tuple[list[str], list[Explanation]]:
    state = remembered(services.api.links, text)
    if state is None:
        raise NotFound("alert", text[:128])
    rule_set = services.api.rule_set()

    def load(plan: Plan) -> Snapshot:
        return load_unwatched(services.api.links, plan, call.now)

    return [], [looked(state, look(rule_set, text, load, call.now), rule_set, call.now)]


def _of_incident(services: Services, call: Call, text: str) -> tuple[list[str], list[Explanation]]:
    call = call._replace(path={"incident_id": text})
    check_may_see(services, call)
    incident, alerts = services.api.incidents.get(checked_id(call))
    summary = [
        f"{incident.id} {incident.title}",
        f"  {incident.status}, {incident.severity}; {alerts.firing} alerts firing, {alerts.resolved} resolved",
        *(f"  {each.at:%Y-%m-%d %H:%M:%S}Z {each.rule} found {each.severity}" for each in incident.findings),
    ]
    if incident.rule is None:
        summary.append("  declared by hand: no rule decided it")
    limit = limit_in(call.query, default=20)
    events, notes = _events_of(_journal(services), incident, limit, call.now)
    return [*summary, *notes], [_recorded(services, event) for event in events]


def _events_of(journal: Journal, incident: Incident, limit: int, now: datetime) -> tuple[list[Recorded], list[str]]:
    """Return the events that changed an incident, oldest first, and what there is to say of the search."""
    since, until = incident.declared_at - BEFORE, (incident.resolved_at or now) + BEFORE
    ends = time.monotonic() + SECONDS
    found: list[Recorded] = []
    notes = []
    needle = f'"{incident.id}"'.encode()
    for event in journal.containing(needle, since, until, is_over=lambda: time.monotonic() > ends):
        if any(each.incident == incident.id and set(each.entries) - OF_EVERY_ALERT for each in event.did):
            if len(found) == limit:
                notes.append(f"  more than {limit} events changed it: later ones are left out")
                break
            found.append(event)
    if journal.gave_up:
        notes.append(f"  the journal was looked through for {SECONDS:.0f} s: later events are left out")
    if not found:
        notes.append("  the journal of this host has no event that changed it")
    return found, notes


def _recorded(services: Services, event: Recorded) -> Explanation:
    return recorded(event, Then(_rules_of(services, event.rules), services.rulesets.current()))


def _rules_of(services: Services, ruleset: str) -> RuleSet | None:
    try:
        return services.api.rule_set_of(ruleset)
    except (NotFound, ValueError):  # gone, or of another version
        return None


def _journal(services: Services) -> Journal:
    directory = services.api.journal
    if directory is None or not directory.is_dir():
        hint = "It is written where `tocsin worker facts` runs, in its data_dir: ask the receiver of that host."
        raise Problem(HTTPStatus.NOT_FOUND, "There is no journal on this host.", hint=hint)
    return Journal(directory)


def _not_recorded(services: Services, what: str) -> Problem:
    with services.api.links.borrow() as link:
        lag = standing(link).lag
    gone = "It is gone with its day, or it never came."
    hint = f"{lag} events wait to be written: ask again in some seconds." if lag else gone
    return Problem(HTTPStatus.NOT_FOUND, f"The journal of this host does not have {what}.", hint=hint)


def _written(value: Any, hidden: frozenset[str]) -> Any:  # noqa: ANN401 - any JSON
    """Write instants as the whole API does, and no hidden incident by its id."""
    match value:
        case datetime():
            return instant(value)
        case str() if hidden:
            return INCIDENT.sub(lambda found: "an incident" if found[0] in hidden else found[0], value)
        case dict():
            return {name: _written(each, hidden) for name, each in value.items()}
        case list() | tuple():
            return [_written(each, hidden) for each in value]
        case _:
            return value


_HOW = {"event": _of_event, "incident": _of_incident, "alert": _of_alert}

ROUTES = (
    Route(
        method="GET",
        path="/explain",
        role=ApiRole.VIEWER,
        summary="Say why an event, an alert or an incident is what it is",
        handler=_explain,
        answer=answers.ExplainAnswer,
        query=(
            Parameter(
                name="event", description="An `event_id` that a sender was answered; `.3` after it: one of its alerts."
            ),
            Parameter(name="incident", description="The id of an incident."),
            Parameter(name="alert", description="`SOURCE/FINGERPRINT` of an alert: what rules say of it now."),
            LIMIT,
        ),
        problems={404: "There is no such thing, or the journal of this host does not have it."},
    ),
)
