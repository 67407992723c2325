"""Incidents as the API shows them: the list, one, its timeline, and declaring one by hand."""

import re
from typing import Any

from incidents.errors import NotFound, TransitionNotAllowed
from incidents.events import DeclaredByHand
from incidents.incident import AlertTally, Incident
from incidents.presentation import entry_json, incident_json
from incidents.store.reads import IncidentPage
from incidents.timeline import EntryKind
from incidents.values import OPEN_STATUSES, IncidentStatus, Severity
from receiver.api import answers, texts, wire
from receiver.api.reading import AFTER, LIMIT, limit_in, one_of, text_in, unfit, words_in
from receiver.api.route import BASE, Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.problems import Problem
from rules.index import identity_key
from rules.slos import customers_of
from rules.teams import Teams

OPEN = "open"
ENTRIES = 200
MOST_ENTRIES = 1000
_ID_PARTS = 3
INCIDENT = re.compile(r"INC-\d{4,9}-\d{4,12}", re.ASCII)


def checked_id(call: Call) -> str:
    """Return the id of the incident that a call is about; raises `NotFound` for what cannot be one.

    It becomes part of keys of the store, so nothing else may pass.
    """
    return checked_name(call.path["incident_id"])


def checked_name(name: str) -> str:
    """Return what has the form of an incident's id; raises `NotFound` for what cannot be one."""
    parts = name.split("-")
    digits = "".join(parts[1:])
    fits = len(parts) == _ID_PARTS and parts[0] == "INC" and all(parts) and digits.isascii() and digits.isdigit()
    if not fits or len(name) > 32:
        raise NotFound("incident", name[:64])
    return name


def check_may_see(services: Services, call: Call) -> None:
    """Raise `NotFound` for a restricted incident that is not for the caller: to them it does not exist."""
    if call.reader is None or "incident_id" not in call.path:
        return
    name = checked_id(call)
    if not services.api.incidents.home(name)[0].is_seen_by(call.reader):
        raise NotFound("incident", name)


def unnamed(services: Services, call: Call, text: str) -> str:
    """Return a text without the ids of other incidents that the caller may not see."""
    hidden = services.reads.hidden(set(INCIDENT.findall(text)), call.reader)
    return INCIDENT.sub(lambda found: "another incident" if found[0] in hidden else found[0], text)


def at_home(services: Services, call: Call) -> Call:
    """Return a question about a merged incident as one about the incident that goes on in its place."""
    if "incident_id" not in call.path:
        return call
    incident = services.api.incidents.home(checked_id(call))[0]
    asked = call.path["incident_id"]
    if incident.id == asked:
        return call
    return call._replace(path={**call.path, "incident_id": incident.id}, merged=asked)


def headers_of(incident: Incident) -> dict[str, str]:
    """Return the headers of an answer that is an incident: its version as the ETag."""
    return {"ETag": f'"{incident.version}"'}


def _list(services: Services, call: Call) -> Reply:
    page = page_of(services, call, text_in(call.query, "after"), limit_in(call.query))
    return Reply({"incidents": [incident_json(*counted) for counted in page.incidents], "next": page.next})


def page_of(services: Services, call: Call, after: str, limit: int) -> IncidentPage:
    """Return the incidents that a call asks for, after a cursor, so many at most."""
    words = words_in(call.query, "status", IncidentStatus, (OPEN,))
    statuses = {IncidentStatus(word) for word in words if word != OPEN}
    if OPEN in words:
        statuses |= OPEN_STATUSES
    return services.reads.incidents(
        statuses=frozenset(statuses),
        severities=frozenset(Severity(word) for word in words_in(call.query, "severity", Severity)),
        after=after,
        limit=limit,
        reader=call.reader,
    )


def _show(services: Services, call: Call) -> Reply:
    incident, alerts = services.api.incidents.get(checked_id(call))
    shown = incident_json(incident, alerts)
    if call.merged:
        shown["merged_into"] = incident.id
    return Reply(shown, headers_of(incident))


def _timeline(services: Services, call: Call) -> Reply:
    page = services.reads.timeline(
        checked_id(call),
        kinds=frozenset(EntryKind(word) for word in words_in(call.query, "kind", EntryKind)),
        after=text_in(call.query, "after"),
        limit=limit_in(call.query, default=ENTRIES, most=MOST_ENTRIES),
    )
    return Reply({"entries": [entry_json(entry) for entry in page.entries], "next": page.next})


def _declare(services: Services, call: Call) -> Reply:
    """Declare an incident; without an identity its title is its identity: two who declare the same meet."""
    body: wire.DeclareBody = call.body
    title = texts.one_line(body.title)
    if not title:
        raise unfit("/title", "The title is empty.")
    identity = body.identity or {"title": title}
    for name, value in identity.items():
        if not (texts.is_fit(name) and texts.is_fit(value) and name.strip() and value.strip()):
            raise unfit("/identity", "Names and values of the identity must be text without control characters.")
    event = DeclaredByHand(
        actor=call.actor,
        title=title,
        severity=body.severity,
        identity=identity,
        identity_key=identity_key(identity),
        summary=texts.lines(body.summary or ""),
        team=Teams(services.api.rule_set().teams).team_of(identity, {}),
        customers=customers_of(services.api.rule_set().slos, identity),
    )
    try:
        done = services.api.incidents.declare(event, now=call.now)
    except TransitionNotAllowed as error:
        raise _declared_already(services, call, identity, error.hint) from None
    headers = headers_of(done.incident) | {"Location": f"{BASE}/incidents/{done.incident.id}"}
    return Reply(incident_json(done.incident, done.alerts), headers)


def _declared_already(services: Services, call: Call, identity: dict[str, str], hint: str) -> Problem:
    """Return the refusal of a second incident, which names the first to whoever may see that one."""
    name = services.reads.open_of(identity_key(identity))
    if name is not None and services.reads.hidden((name,), call.reader):
        asked = "Ask an admin, or whoever is on call."
        return Problem(409, "It is declared already.", hint=asked, members={"identity": identity})
    detail = f"It is declared already: {hint}."
    work = "Work on that one; note there what is new, or escalate it."
    return Problem(409, detail, hint=work, members={"incident": name, "identity": identity})


def incident_answer(incident: Incident, alerts: AlertTally, outcome: str, note: str = "") -> dict[str, Any]:
    """Return an incident after a command, with what the command came to."""
    return incident_json(incident, alerts) | {"outcome": outcome} | ({"note": note} if note else {})


def reply_as_it_is(services: Services, call: Call, name: str) -> Reply:
    """Return the answer to a command that was done before, whose first answer was lost."""
    incident, alerts = services.api.incidents.home(name)
    if not incident.is_seen_by(call.reader):
        raise NotFound("incident", name)
    headers = headers_of(incident) | {"Location": f"{BASE}/incidents/{incident.id}"}
    return Reply(incident_answer(incident, alerts, "done before"), headers)


STATUS = Parameter(
    name="status",
    description="Only incidents of these statuses; `open` stands for all that are not over.",
    schema=one_of([*(status.value for status in IncidentStatus), OPEN]),
    many=True,
)
SEVERITY = Parameter(
    name="severity",
    description="Only incidents of these severities.",
    schema=one_of(severity.value for severity in Severity),
    many=True,
)
_KIND = Parameter(
    name="kind",
    description="Only entries of these kinds.",
    schema=one_of(kind.value for kind in EntryKind),
    many=True,
)
_ENTRY_LIMIT = Parameter(
    name="limit",
    description=f"How many at most; more than {MOST_ENTRIES} are taken as {MOST_ENTRIES}.",
    schema={"type": "integer", "minimum": 1, "default": ENTRIES},
)

ROUTES = (
    Route(
        method="GET",
        path="/incidents",
        role=ApiRole.VIEWER,
        summary="List incidents, newest first",
        handler=_list,
        answer=answers.IncidentsAnswer,
        query=(STATUS, SEVERITY, LIMIT, AFTER),
    ),
    Route(
        method="POST",
        path="/incidents",
        role=ApiRole.RESPONDER,
        summary="Declare an incident by hand; without an identity, its title is its identity",
        handler=_declare,
        answer=answers.IncidentAnswer,
        status=201,
        body=wire.DeclareBody,
        problems={409: "An incident of the same identity is open; it is named, to whoever may see it."},
    ),
    Route(
        method="GET",
        path="/incidents/{incident_id}",
        role=ApiRole.VIEWER,
        summary="Show one incident",
        handler=_show,
        answer=answers.IncidentAnswer,
    ),
    Route(
        method="GET",
        path="/incidents/{incident_id}/timeline",
        role=ApiRole.VIEWER,
        summary="List the entries of a timeline, oldest first",
        handler=_timeline,
        answer=answers.EntriesAnswer,
        query=(_KIND, _ENTRY_LIMIT, AFTER),
    ),
)
