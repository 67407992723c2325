"""The live state document over the API: read, edited without losing anybody's words, its history, and as CommonMark."""

from typing import Any

from incidents import events
from incidents.document.page import document_markdown
from incidents.document.show import HISTORIES, State, document_json
from incidents.document.templates import filled
from incidents.document.values import WRITTEN, Part, Version
from incidents.document.versions import (
    ANY,
    declared_summary,
    difference,
    report_version,
    summary_standing,
    summary_version,
    tag_of,
)
from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident
from incidents.oncall import INTERNAL, Audience
from incidents.presentation import entry_json, instant
from incidents.store.documents import Documents
from incidents.transitions import StaleDocument
from receiver.api import texts
from receiver.api.commands import refuse
from receiver.api.document_answers import DocumentAnswer, DocumentBody, DraftAnswer, VersionAnswer, VersionsAnswer
from receiver.api.incidents import checked_id
from receiver.api.reading import AFTER, LIMIT, bad_parameter, limit_in, one_of, text_in, unfit
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.problems import Problem

MARKDOWN = "text/markdown; charset=utf-8"
ENTRIES_IN_PAGE = 200  # of the timeline, the last ones
READ_FIRST = "Read the document, and send its ETag as If-Match; If-Match: * writes over whatever there is."


# ------------------------------------------------------------------------------------------------------------- reading


def _state(services: Services, call: Call, incident: Incident | None = None) -> State:
    """Return what the document is made of; raises `NotFound`."""
    name = checked_id(call)
    found, alerts = services.api.incidents.get(name)
    incident = incident or found
    stood = Documents(services.api.links).stood(incident.id)
    last = services.reads.latest(incident.id, limit=1).entries
    return State(
        incident=incident,
        alerts=alerts,
        status_report=stood.status_report,
        entries=stood.entries,
        last=last[0] if last else None,
        oncall=services.api.rule_set().oncall,
        now=call.now,
    )


def headers_of(incident: Incident) -> dict[str, str]:
    """Return the headers of an answer that is a document: the versions of its written parts as the ETag."""
    return {"ETag": f'"{tag_of(incident)}"'}


def _show(services: Services, call: Call) -> Reply:
    state = _state(services, call)
    return Reply(document_json(state), headers_of(state.incident))


def _markdown(services: Services, call: Call) -> Reply:
    state = _state(services, call)
    entries = services.reads.latest(state.incident.id, limit=ENTRIES_IN_PAGE).entries
    return Reply(document_markdown(state, entries[::-1]).encode(), headers_of(state.incident))


def _history(services: Services, call: Call) -> Reply:
    """Return the history of a part: of what people write every version, of the rest what the timeline says."""
    part = _part_in(call)
    # What was written of an incident before it was merged into another stays under its own id.
    name = call.merged if call.merged and part in WRITTEN else checked_id(call)
    incident, _ = services.api.incidents.get(name)
    after, limit = text_in(call.query, "after"), limit_in(call.query)
    if part not in WRITTEN:
        page = services.reads.timeline(name, kinds=HISTORIES[part], after=after, limit=limit)
        told = [VersionAnswer(part=part, version=None, diff="", **_of_entry(entry_json(each))) for each in page.entries]
        return Reply(VersionsAnswer(versions=told, next=page.next))
    found = Documents(services.api.links).versions(name, part, after=after, limit=limit)
    versions, before = list(found.versions), found.before
    first = declared_summary(incident) if part is Part.SUMMARY and not after else None
    if first is not None and not versions:
        versions = [first]
    shown = []
    for version in versions:
        shown.append(_version(version, before))
        before = version
    return Reply(VersionsAnswer(versions=shown, next=found.next))


def _part_in(call: Call) -> Part:
    word = text_in(call.query, "part")
    known = [part.value for part in Part]
    if word not in known:
        said = f"There is no part {word[:64]!r}" if word else "Say which part"
        raise bad_parameter("part", f"{said}: there is {', '.join(known)}.")
    return Part(word)


def _of_entry(entry: dict[str, Any]) -> dict[str, Any]:
    return {"at": entry["at"], "by": entry["actor"], "text": entry["text"]}


def _version(version: Version, before: Version | None) -> VersionAnswer:
    names = (f"version {before.version if before is not None else 0}", f"version {version.version}")
    return VersionAnswer(
        part=version.part.value,
        version=version.version,
        at=instant(version.at) or "",
        by=version.by,
        text=version.text,
        diff=difference(before.text if before is not None else "", version.text, names=names),
    )


def _draft(services: Services, call: Call) -> Reply:
    """Fill the template of an audience from the summary; nobody is told anything by this."""
    name = texts.one_line(text_in(call.query, "audience"))
    if not name:
        raise bad_parameter("audience", "Say which audience, such as audience=customers.")
    incident, _ = services.api.incidents.get(checked_id(call))
    audience = services.api.rule_set().oncall.audiences.get(name) or Audience(name=name, kind=_kind_of(incident, name))
    text = filled(audience.template, audience.kind, incident, incident.review_due_at, call.now)
    return Reply(DraftAnswer(audience=name, kind=audience.kind, channels=list(audience.channels), text=text))


def _kind_of(incident: Incident, name: str) -> str:
    """Return of which kind an audience is that the rule files do not list: that of the stakeholder of the name."""
    stakeholder = next((each for each in incident.stakeholders if each.name == name), None)
    outside = stakeholder.external if stakeholder is not None else name == "customers"
    return "customers" if outside else INTERNAL


# ------------------------------------------------------------------------------------------------------------- editing


def _edit(services: Services, call: Call) -> Reply:
    """Write parts anew, if nobody else has since they were read."""
    body: DocumentBody = call.body
    name = checked_id(call)
    if body.summary is None and body.status_report is None:
        raise unfit("", "There is nothing to write.", "Send summary, status_report or both.")
    incident, _ = services.api.incidents.get(name)
    event = events.DocumentEdited(
        actor=call.actor,
        seen=_seen(call.if_match, incident),
        summary=None if body.summary is None else texts.lines(body.summary),
        status_report=None if body.status_report is None else texts.lines(body.status_report),
    )
    try:
        done = services.api.incidents.apply(name, event, now=call.now)
    except StaleDocument as stale:
        raise _conflict(services, name, event, stale) from None
    except TransitionNotAllowed as error:
        refuse(name, "document", error)
    state = _state(services, call, done.incident)
    return Reply(document_json(state), headers_of(done.incident))


def _seen(if_match: str, incident: Incident) -> str:
    """Return the tag of the versions that were read; raises `Problem` 428 without one."""
    tags = [each.strip().removeprefix("W/").strip('"') for each in if_match.split(",") if each.strip()]
    if not tags:
        raise Problem(428, "If-Match is missing: an edit says which versions it is based on.", hint=READ_FIRST)
    present = tag_of(incident)
    return present if present in tags else ANY if ANY in tags else tags[0][:64]


def _conflict(services: Services, name: str, event: events.DocumentEdited, stale: StaleDocument) -> Problem:
    """Return the answer to an edit that would have lost another: both texts of each part, and how they differ."""
    incident, _ = services.api.incidents.get(name)
    present = {
        Part.SUMMARY: incident.summary,
        Part.STATUS_REPORT: Documents(services.api.links).stood(name).status_report,
    }
    given = {Part.SUMMARY: event.summary, Part.STATUS_REPORT: event.status_report}
    versions = {Part.SUMMARY: summary_version(incident), Part.STATUS_REPORT: report_version(incident)}
    edits = {Part.SUMMARY: summary_standing(incident), Part.STATUS_REPORT: incident.status_report}
    conflicts = {
        part.value: {
            "current": present[part],
            "yours": text,
            "diff": difference(present[part], text, names=("current", "yours")),
            "version": versions[part],
            "by": edit.by if edit is not None else "",
            "at": instant(edit.at) if edit is not None else None,
        }
        for part, text in given.items()
        if text is not None
        for edit in (edits[part],)
    }
    return Problem(
        409,
        f"The document of {name} was edited since you read it; nothing was written.",
        hint="Join both texts, and send them with If-Match as `etag` says.",
        headers={"ETag": f'"{tag_of(incident)}"'},
        members={"etag": f'"{tag_of(incident)}"', "seen": stale.seen, "conflicts": conflicts},
    )


_PART = Parameter(name="part", description="Which part.", schema=one_of(part.value for part in Part), is_required=True)
_AUDIENCE = Parameter(
    name="audience", description="Whom to tell; one of `audiences`, or any other name.", is_required=True
)

ROUTES = (
    Route(
        method="GET",
        path="/incidents/{incident_id}/document",
        role=ApiRole.VIEWER,
        summary="Show the live state document",
        handler=_show,
        answer=DocumentAnswer,
    ),
    Route(
        method="PATCH",
        path="/incidents/{incident_id}/document",
        role=ApiRole.RESPONDER,
        summary="Write the summary, the status report or both; If-Match is the ETag of what was read",
        handler=_edit,
        answer=DocumentAnswer,
        body=DocumentBody,
        problems={409: "It was edited meanwhile; both texts are in the answer.", 428: "If-Match is missing."},
    ),
    Route(
        method="GET",
        path="/incidents/{incident_id}/document.md",
        role=ApiRole.VIEWER,
        summary="Show the live state document as CommonMark",
        handler=_markdown,
        answer=bytes,
        media_type=MARKDOWN,
    ),
    Route(
        method="GET",
        path="/incidents/{incident_id}/document/history",
        role=ApiRole.VIEWER,
        summary="List the versions of a part, oldest first",
        handler=_history,
        answer=VersionsAnswer,
        query=(_PART, LIMIT, AFTER),
    ),
    Route(
        method="GET",
        path="/incidents/{incident_id}/document/communication",
        role=ApiRole.VIEWER,
        summary="Draft what an audience could be told, from the summary",
        handler=_draft,
        answer=DraftAnswer,
        query=(_AUDIENCE,),
    ),
)
