"""The page of one incident: what is going on, who is on it, who is paged next, and everything that happened."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from incidents.errors import NotFound
from incidents.incident import AlertTally, Incident
from incidents.paging.upcoming import Upcoming, upcoming
from incidents.timeline import EntryKind
from incidents.transitions import TABLE
from incidents.values import IncidentStatus, Role, Severity
from receiver.api.commands import COMMANDS, DEFAULT_POLICY
from receiver.api.incidents import checked_id
from receiver.auth import ApiRole
from receiver.problems import Problem
from receiver.web.alert_rows import AlertRow, by_name, row_of
from receiver.web.document import document_values
from receiver.web.paging import handing_over, handover_text, holding, why_of
from receiver.web.rendering import http, iso, span
from receiver.web.route import Page, PageRoute, Raw, Redirect, Visit
from rules.explain.telling import told
from rules.explain.values import Explanation

ENTRIES = 100
MOST_ENTRIES = 200
ALERTS = 200  # looked at
NAMES = 10  # of alerts, one row each
ALERTS_OF_A_PAGE = 100
ATTEMPTS = 50
WHY = 20

PAGING = frozenset(kind for kind in EntryKind if kind.value.startswith("page_")) | {EntryKind.UNACKNOWLEDGED}
ALERTING = frozenset({EntryKind.ALERT_FIRED, EntryKind.ALERT_RESOLVED, EntryKind.ALERT_STALE, EntryKind.FINDING_ADDED})
SHOWN: Mapping[str, frozenset[EntryKind]] = {
    "all": frozenset(),
    "people": frozenset(EntryKind) - PAGING - ALERTING,
    "alerts": ALERTING,
    "paging": PAGING,
}
# The class of an entry decides its sign and its colour.
SIGNS: Mapping[EntryKind, str] = {
    **dict.fromkeys(ALERTING, "alert"),
    **dict.fromkeys(PAGING, "page"),
    EntryKind.PAGE_FAILED: "bad",
    EntryKind.PAGE_EXHAUSTED: "bad",
    EntryKind.ALERT_RESOLVED: "good",
    EntryKind.INCIDENT_DECLARED: "declared",
    EntryKind.REOPENED: "declared",
    EntryKind.SEVERITY_CHANGED: "declared",
    EntryKind.ACKNOWLEDGED: "good",
    EntryKind.PAGE_ACKNOWLEDGED: "good",
    EntryKind.MITIGATED: "good",
    EntryKind.RESOLVED: "good",
    EntryKind.OBJECTIVE_MET: "good",
}


class Link(NamedTuple):
    """A link beside the incident."""

    name: str
    url: str


def seen(visit: Visit) -> tuple[Incident, AlertTally]:
    """Return the incident in the path of a visit; raises `NotFound` for one that is not for who looks."""
    name = checked_id(visit.call())
    incident, alerts = visit.services.api.incidents.home(name)
    if not incident.is_seen_by(visit.reader):
        raise NotFound("incident", name)
    return incident, alerts


def show(
    visit: Visit, *, problem: Problem | None = None, typed: Mapping[str, str] | None = None, refused: str = ""
) -> Page:
    """Return the page of the incident in the path; `problem` and `typed` are of the form `refused`."""
    incident, tally = seen(visit)
    shown = visit.query.get("show", "all")
    if shown not in SHOWN:
        raise Problem(400, f"show={shown[:64]!r} does not exist.", hint=f"There is {', '.join(SHOWN)}.")
    before = visit.query.get("before", "")
    reads, services = visit.services.reads, visit.services
    some = services.alerts.some(incident.id, limit=ALERTS)
    alerts = [row_of(each, services.api.alertmanagers) for each in some.alerts]
    rows = by_name(alerts, are_all=len(alerts) == some.total)
    oncall = services.api.rule_set().oncall
    following = upcoming(incident, oncall)
    address = f"{services.api.external_url}/incidents/{incident.id}"
    values = {
        "incident": incident,
        "tally": tally,
        "following": following,
        "holding": holding(visit, incident),
        "handover": handing_over(incident),
        "why_of": why_of,
        "timeline": reads.latest(
            incident.id, kinds=SHOWN[shown], before=before, limit=MOST_ENTRIES if before else ENTRIES
        ),
        "attempts": reads.latest(incident.id, kinds=PAGING, limit=ATTEMPTS).entries,
        "shown": shown,
        "shown_of": tuple(SHOWN),
        "before": before,
        "signs": SIGNS,
        "alerts": rows[:NAMES],
        "alerts_total": some.total,
        "links": links_of(incident, alerts),
        "takes": takes(incident, visit.who.name),
        "people": tuple(oncall.people),
        "policies": sorted({DEFAULT_POLICY, *oncall.policies}),
        "roles": tuple(Role),
        "severities": tuple(Severity),
        "chat": chat_text(incident, tally, following, address, visit),
        "problem": problem,
        "typed": typed or {},
        "refused": refused,
        **document_values(visit, incident, problem),
    }
    return Page("incident.html", values, problem.status if problem else 200)


def takes(incident: Incident, who: str) -> frozenset[str]:
    """Return the commands that the incident takes as it stands, and that say something new from who looks."""
    possible = {name for name, event in COMMANDS.items() if (incident.status, event) in TABLE}
    if incident.acknowledged_at is not None and (incident.handover is None or incident.handover.to != who):
        possible.discard("acknowledge")
    if incident.status is IncidentStatus.MITIGATED:
        possible.discard("mitigate")
    if incident.acknowledged_at is None:
        possible.discard("unacknowledge")
    return frozenset(possible)


def links_of(incident: Incident, alerts: Sequence[AlertRow]) -> list[Link]:
    """Return where to read on: runbook, graph and dashboard, each once, of the first alert that has one."""
    wanted = (
        ("Runbook", [http(incident.runbook), *(row.runbook_url for row in alerts)]),
        ("Graph", [row.source_url for row in alerts]),
        ("Dashboard", [row.dashboard_url for row in alerts]),
    )
    found = ((name, next(filter(None, urls), "")) for name, urls in wanted)
    return [Link(name, url) for name, url in found if url]


def chat_text(incident: Incident, tally: AlertTally, following: Upcoming, address: str, visit: Visit) -> str:
    """Return how the incident stands as plain text, to be pasted into a chat; instants are UTC."""
    rows = [
        f"{incident.severity} {incident.status}: {incident.title} ({incident.id})",
        f"Impact: {' '.join(incident.summary.split()) or 'not known yet'}",
        f"Declared: {iso(incident.declared_at)} ({span(visit.now - incident.declared_at)} ago)",
        f"Commander: {incident.roles.incident_commander or 'nobody'}",
        f"Alerts: {tally.firing} firing, {tally.resolved} resolved",
    ]
    if following.at is not None and following.people:
        rows.append(f"Paged next: {', '.join(following.people)} at {iso(following.at)}")
    if waits := handover_text(incident):
        rows.append(waits)
    return "\n".join([*rows, address])


def _show(visit: Visit) -> Page | Redirect:
    return show(visit)


def _alerts(visit: Visit) -> Page | Redirect:
    incident, tally = seen(visit)
    page = visit.services.alerts.alerts(
        incident_id=incident.id, after=visit.query.get("after", ""), limit=ALERTS_OF_A_PAGE
    )
    rows = [row_of(each, visit.services.api.alertmanagers) for each in page.alerts]
    return Page("alerts.html", {"incident": incident, "tally": tally, "alerts": rows, "next": page.next})


def _why(visit: Visit) -> Page | Redirect:
    incident, _ = seen(visit)
    problem: Problem | None = None
    summary: list[str] = []
    explained: list[str] = []
    try:
        answer = visit.ask("/explain", incident=incident.id, limit=str(WHY))
        summary = answer["summary"]
        explained = ["\n".join(told(each)) for each in msgspec.convert(answer["explanations"], list[Explanation])]
    except Problem as refused:
        problem = refused
    values = {"incident": incident, "summary": summary, "explained": explained, "problem": problem}
    return Page("why.html", values)


def _history(visit: Visit) -> Page | Redirect:
    incident, _ = seen(visit)
    part = visit.query.get("part", "")
    found = visit.ask("/incidents/{incident_id}/document/history", part=part, after=visit.query.get("after", ""))
    title = part.replace("_", " ").capitalize()
    values = {"incident": incident, "part": part, "title": title, "versions": found["versions"], "next": found["next"]}
    return Page("history.html", values)


def _picture(visit: Visit) -> Page | Redirect | Raw:
    seen(visit)
    return Raw(visit.ask("/incidents/{incident_id}/picture.svg"), "image/svg+xml; charset=utf-8")


ROUTES = (
    PageRoute(method="GET", path="/incidents/{incident_id}", role=ApiRole.VIEWER, handler=_show),
    PageRoute(method="GET", path="/incidents/{incident_id}/alerts", role=ApiRole.VIEWER, handler=_alerts),
    PageRoute(method="GET", path="/incidents/{incident_id}/history", role=ApiRole.VIEWER, handler=_history),
    PageRoute(method="GET", path="/incidents/{incident_id}/picture.svg", role=ApiRole.VIEWER, handler=_picture),
    PageRoute(method="GET", path="/incidents/{incident_id}/why", role=ApiRole.VIEWER, handler=_why),
)
