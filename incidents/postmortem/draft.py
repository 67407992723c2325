"""The post-mortem as it is read: what the record says, and beside it what people wrote. Pure.

The same record and the same writing make the same post-mortem, byte for byte: no clock is asked.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from incidents.incident import BudgetBurnt, Stakeholder
from incidents.postmortem.gaps import Gap, gaps_of
from incidents.postmortem.in_short import in_short
from incidents.postmortem.numbers import Numbers, numbers_of
from incidents.postmortem.people import Participant, participants_of
from incidents.postmortem.record import Record, instant_in, text_in
from incidents.postmortem.values import PROMPTS, TITLES, Postmortem, PostmortemState, Section
from incidents.presentation import instant
from incidents.timeline import EntryKind, TimelineEntry
from incidents.values import Criterion, IncidentStatus, Severity


class CorrectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a later entry says of an earlier one."""

    at: datetime | None
    actor: str
    text: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline; `source_at` is when it happened by the clock of whoever told of it."""

    id: str
    at: datetime
    source_at: datetime | None
    kind: EntryKind
    actor: str
    text: str
    corrects: str = ""  # the id of the entry that it sets right
    corrections: tuple[CorrectionLine, ...] = ()  # what later entries say of it


class ObjectiveLine(msgspec.Struct, frozen=True, kw_only=True):
    """An objective, and whether it was met."""

    id: str
    text: str
    kind: str
    met: bool
    met_at: datetime | None
    met_by: str


class ActionLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done so that it does not happen again; `due` is a date."""

    id: str
    text: str
    owner: str
    due: str
    link: str
    state: str


class SectionText(msgspec.Struct, frozen=True, kw_only=True):
    """A section for people: its title, the question that it answers, and what was written."""

    section: Section
    title: str
    prompt: str
    text: str
    by: str
    at: datetime | None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A post-mortem, whole."""

    id: str
    title: str
    state: PostmortemState
    version: int
    changed_at: datetime | None
    changed_by: str
    wanted: str  # required, optional or none, as the severity says
    status: IncidentStatus
    severity: Severity
    criterion: Criterion
    rules: tuple[str, ...]
    team: str
    identity: dict[str, str]
    summary: str
    in_short: tuple[str, ...]  # what the record says, in sentences
    runbook: str
    sections: tuple[SectionText, ...]
    unwritten: tuple[Section, ...]
    numbers: Numbers
    error_budgets: tuple[BudgetBurnt, ...]
    people: tuple[Participant, ...]
    stakeholders: tuple[Stakeholder, ...]
    objectives: tuple[ObjectiveLine, ...]
    communications: tuple[Line, ...]
    gaps: tuple[Gap, ...]
    action_plan: tuple[ActionLine, ...]
    timeline: tuple[Line, ...]
    entries_left_out: int
    last_entry: str


def draft_of(record: Record, kept: Postmortem) -> Draft:
    """Return the post-mortem of a record with what people wrote."""
    incident = record.incident
    lines = tuple(lines_of(record.entries))
    plan = tuple(_plan(record))
    numbers = numbers_of(record)
    return Draft(
        id=incident.id,
        title=incident.title,
        state=kept.state,
        version=kept.version,
        changed_at=kept.at,
        changed_by=kept.by,
        wanted=record.wanted,
        status=incident.status,
        severity=incident.severity,
        criterion=incident.criterion,
        rules=tuple(dict.fromkeys(finding.rule for finding in incident.findings)),
        team=incident.team,
        identity=dict(sorted(incident.identity.items())),
        summary=incident.summary,
        in_short=in_short(record, numbers),
        runbook=incident.runbook,
        sections=tuple(_section(section, kept) for section in Section),
        unwritten=tuple(section for section in Section if section not in kept.sections),
        numbers=numbers,
        error_budgets=incident.burnt,
        people=participants_of(record),
        stakeholders=incident.stakeholders,
        objectives=tuple(_objectives(record)),
        communications=tuple(lines_of(_told(record.entries))),
        gaps=gaps_of(record),
        action_plan=plan,
        timeline=lines,
        entries_left_out=record.left_out,
        last_entry=record.last_entry,
    )


def as_json(draft: Draft) -> dict[str, Any]:
    """Return a post-mortem with the names of the API, as plain values."""
    plain: dict[str, Any] = _plain(msgspec.to_builtins(draft, builtin_types=(datetime,)))
    return plain


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _section(section: Section, kept: Postmortem) -> SectionText:
    written = kept.sections.get(section)
    return SectionText(
        section=section,
        title=TITLES[section],
        prompt=PROMPTS[section],
        text=written.text if written else "",
        by=written.by if written else "",
        at=written.at if written else None,
    )


def lines_of(entries: Iterable[TimelineEntry]) -> Iterable[Line]:
    """Yield entries as the lines of a timeline, with what later ones say of them."""
    for entry in entries:
        yield Line(
            id=entry.id,
            at=entry.at,
            source_at=source_at(entry),
            kind=entry.kind,
            actor=entry.actor,
            text=entry.text,
            corrects=text_in(entry.data, "corrects"),
            corrections=tuple(_corrections(entry)),
        )


def _corrections(entry: TimelineEntry) -> Iterable[CorrectionLine]:
    found = entry.data.get("corrections")
    for each in found if isinstance(found, list) else ():
        if isinstance(each, dict):
            at, actor, text = instant_in(each, "at"), text_in(each, "actor"), text_in(each, "text")
            yield CorrectionLine(at=at, actor=actor, text=text)


def source_at(entry: TimelineEntry) -> datetime | None:
    """Return when what an entry tells of happened, by the clock of whoever told of it; None where nobody said."""
    name = {EntryKind.ALERT_FIRED: "starts_at", EntryKind.ALERT_RESOLVED: "ends_at"}.get(entry.kind, "at")
    return instant_in(entry.data, name)


def _told(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Return the communications; of several attempts to tell somebody, only how the last one ended."""
    found: dict[str, TimelineEntry] = {}
    for place, entry in enumerate(entries):
        if entry.kind is EntryKind.COMMUNICATION:
            name = text_in(entry.data, "page_id") or str(place)
            found.pop(name, None)
            found[name] = entry
    return list(found.values())


def _objectives(record: Record) -> Iterable[ObjectiveLine]:
    met = {text_in(entry.data, "id"): entry.at for entry in record.entries if entry.kind is EntryKind.OBJECTIVE_MET}
    for objective in record.incident.objectives:
        at = objective.met_at or (met.get(objective.id) if objective.kind == "alerts_clear_for" else None)
        yield ObjectiveLine(
            id=objective.id,
            text=objective.text or objective.id,
            kind=objective.kind,
            met=at is not None,
            met_at=at,
            met_by=objective.met_by,
        )


def _plan(record: Record) -> Iterable[ActionLine]:
    """Yield the post-incident actions: they are the plan."""
    for action in record.incident.post_incident_actions:
        yield ActionLine(
            id=action.id,
            text=action.text,
            owner=action.owner,
            due=action.due.isoformat() if action.due else "",
            link=action.link,
            state=action.state.value,
        )
