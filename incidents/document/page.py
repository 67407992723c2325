"""The live state document as CommonMark, for chats, wikis and tickets. Pure.

What alerts and people wrote is text alone in it, and never becomes markup.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from incidents.document.review import in_words, is_overdue
from incidents.document.show import State, actions_of, changed_at, objectives_of, owner_of, stakeholders_of, tasks_of
from incidents.document.values import Part
from incidents.document.versions import report_version, summary_version
from incidents.incident import Incident
from incidents.markdown import inline, link, paragraph, table
from incidents.timeline import TimelineEntry
from incidents.transitions.post_incident_actions import told_overdue

HEADINGS = {
    Part.STAKEHOLDERS: "Stakeholders",
    Part.TIMELINE: "Timeline",
    Part.SUMMARY: "Summary",
    Part.STATUS_REPORT: "Detailed status report",
    Part.OBJECTIVES: "Resolution objectives",
    Part.POST_INCIDENT_ACTIONS: "Post-incident actions",
}
ORDER = (
    Part.SUMMARY,
    Part.STATUS_REPORT,
    Part.STAKEHOLDERS,
    Part.OBJECTIVES,
    Part.POST_INCIDENT_ACTIONS,
    Part.TIMELINE,
)
NOTHING = {
    Part.SUMMARY: "Nobody has written a summary yet.",
    Part.STATUS_REPORT: "Nobody has written a status report yet.",
    Part.STAKEHOLDERS: "Nobody is named yet.",
    Part.OBJECTIVES: "None: a person says when it is over.",
    Part.POST_INCIDENT_ACTIONS: "None yet.",
    Part.TIMELINE: "Nothing has happened yet.",
}


def document_markdown(state: State, entries: Sequence[TimelineEntry]) -> str:
    """Return the document; `entries` are the last of the timeline, oldest first."""
    parts = [_head(state)]
    for part in ORDER:
        body = _BODIES[part](state, entries)
        parts.append(f"## {HEADINGS[part]}\n\n{_by(part, state)}\n\n{body or NOTHING[part]}")
    return "\n\n".join(parts) + "\n"


def _head(state: State) -> str:
    incident, roles = state.incident, state.incident.roles
    end = incident.resolved_at or state.now
    age = in_words(end - incident.declared_at)
    facts = [
        ("Status", f"{incident.severity}, {incident.status.value}"),
        ("Declared", f"{_moment(incident.declared_at)}, {f'{age} ago' if incident.is_open else f'over after {age}'}"),
        *_course(incident),
        *_review(state),
        ("Identity", ", ".join(f"{name}={value}" for name, value in incident.identity.items())),
        ("Found by", ", ".join(dict.fromkeys(each.rule for each in incident.findings)) or "a person"),
        ("Commander", roles.incident_commander or "nobody"),
        ("Communications", roles.communications or "nobody"),
        ("Engineer in charge", roles.engineer_in_charge or "nobody"),
        ("Alerts", f"{state.alerts.firing} firing, {state.alerts.resolved} resolved"),
    ]
    listed = [f"- {name}: {inline(text)}" for name, text in facts]
    listed += [f"- Runbook: {link(incident.runbook, incident.runbook)}"] if incident.runbook else []
    listed.append(f"- As of: {_moment(state.now)}")
    return f"# {inline(f'{incident.id}: {incident.title}')}\n\n" + "\n".join(listed)


def _course(incident: Incident) -> list[tuple[str, str]]:
    """Return when it was acknowledged, mitigated and over, as far as it was."""
    by = f" by {incident.acknowledged_by}" if incident.acknowledged_by else ""
    found = [
        ("Acknowledged", incident.acknowledged_at, by),
        ("Mitigated", incident.mitigated_at, ""),
        ("Over", None if incident.is_open else incident.resolved_at, ""),
    ]
    return [(name, f"{_moment(at)}{more}") for name, at, more in found if at is not None]


def _review(state: State) -> list[tuple[str, str]]:
    """Return until when the next status report is due, while it is open and its severity asks for any."""
    due = state.incident.review_due_at if state.incident.is_open else None
    return [("Next status report", f"due {_moment(due)}")] if due is not None else []


def _by(part: Part, state: State) -> str:
    role, person = owner_of(part, state.incident)
    owner = inline(f"{person} ({role.value.replace('_', ' ')})") if person and role else "nobody"
    if part is Part.TIMELINE:
        return f"Written by what happens; {state.entries} {'entry' if state.entries == 1 else 'entries'}."
    at = changed_at(part, state)
    version = {Part.SUMMARY: summary_version, Part.STATUS_REPORT: report_version}.get(part)
    number = f"; version {version(state.incident)}" if version is not None and version(state.incident) else ""
    age = f"; changed {in_words(state.now - at)} ago" if at is not None else ""
    due = ""
    if part is Part.STATUS_REPORT and is_overdue(state.incident, state.oncall, state.now):
        due = "; **review due**"
    return f"Looked after by {owner}{number}{age}{due}."


def _summary(state: State, entries: Sequence[TimelineEntry]) -> str:
    del entries
    return paragraph(state.incident.summary)


def _report(state: State, entries: Sequence[TimelineEntry]) -> str:
    del entries
    parts = [paragraph(state.status_report) or NOTHING[Part.STATUS_REPORT]]
    tasks = tasks_of(state.incident)
    if tasks:
        rows = [
            (each["id"], each["text"], each["person"] or "", f"done by {each['done_by']}" if each["done"] else "open")
            for each in tasks
        ]
        parts.append("### Tasks\n\n" + table(("Task", "What", "Who", "State"), rows))
    return "\n\n".join(parts)


def _stakeholders(state: State, entries: Sequence[TimelineEntry]) -> str:
    del entries
    found = stakeholders_of(state.incident)
    rows = [
        (
            each["name"],
            (each["role"] or each["kind"]).replace("_", " "),
            "external" if each["external"] else "internal",
        )
        for each in found
    ]
    return table(("Who", "What", "Where"), rows) if rows else ""


def _objectives(state: State, entries: Sequence[TimelineEntry]) -> str:
    del entries
    return _list(
        f"{'met' if each['met'] else '**unmet**'}: {inline(each['text'] or each['id'])}"
        + (f" ({inline(each['met_by'])})" if each["met_by"] else "")
        for each in objectives_of(state)
    )


def _actions(state: State, entries: Sequence[TimelineEntry]) -> str:
    del entries
    lines = []
    for each in actions_of(state.incident, state.now):
        what = link(each["text"], each["link"]) if each["link"] else inline(each["text"])
        due = f", due {each['due']}" + (" (**overdue**)" if each["overdue"] else "") if each["due"] else ""
        lines.append(f"{each['state']}: {what}, {inline(each['owner'] or 'nobody')}{due}")
    parts = [_list(lines)] if lines else []
    if state.incident.overdue_actions:
        text = f"When this was declared, {told_overdue(state.incident.overdue_actions)}, which the same rule declared."
        parts += [inline(text)] if lines else [NOTHING[Part.POST_INCIDENT_ACTIONS], inline(text)]
    return "\n\n".join(parts)


def _timeline(state: State, entries: Sequence[TimelineEntry]) -> str:
    if not entries:
        return ""
    rows = [(_time(each.at), each.kind.value.replace("_", " "), each.actor, each.text) for each in entries]
    left_out = state.entries - len(entries)
    before = f"The {left_out} entries before these are at `GET /api/v1/incidents/{state.incident.id}/timeline`.\n\n"
    return (before if left_out > 0 else "") + table(("When (UTC)", "Kind", "Who", "What"), rows)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _moment(at: datetime) -> str:
    return f"{_time(at)} UTC"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


_BODIES = {
    Part.SUMMARY: _summary,
    Part.STATUS_REPORT: _report,
    Part.STAKEHOLDERS: _stakeholders,
    Part.OBJECTIVES: _objectives,
    Part.POST_INCIDENT_ACTIONS: _actions,
    Part.TIMELINE: _timeline,
}
