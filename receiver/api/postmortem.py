"""The post-mortem over the API: read as JSON, Markdown, page and picture, written by people, reviewed and published."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidents.document.versions import difference
from incidents.incident import Incident
from incidents.postmortem.draft import as_json, draft_of
from incidents.postmortem.editing import edited, moved, standing
from incidents.postmortem.markdown import as_markdown
from incidents.postmortem.picture import picture_of
from incidents.postmortem.printed import as_html
from incidents.postmortem.record import Record
from incidents.postmortem.values import Postmortem, PostmortemState, Section
from incidents.presentation import instant
from incidents.store.postmortems import Changed, Postmortems, StalePostmortem
from incidents.values import IncidentStatus
from receiver.api import texts
from receiver.api.incidents import checked_id
from receiver.api.postmortem_answers import (
    PostmortemAnswer,
    PostmortemBody,
    PostmortemStateBody,
    PostmortemVersionAnswer,
    PostmortemVersionsAnswer,
    Wanted,
    WantedAnswer,
    WantedPageAnswer,
    WrittenAnswer,
)
from receiver.api.reading import AFTER, LIMIT, limit_in, one_of, text_in, unfit, version_in, words_in
from receiver.api.records import record_for
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.problems import Problem

MARKDOWN, HTML, SVG = "text/markdown; charset=utf-8", "text/html; charset=utf-8", "image/svg+xml"
# Nothing in it may load or run anything, whatever is in it.
_SHUT = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
_PATH = "/incidents/{incident_id}/postmortem"
READ_FIRST = "Read the post-mortem, and send its ETag as If-Match; If-Match: * writes over whatever there is."


# ------------------------------------------------------------------------------------------------------------- reading


def _found(services: Services, call: Call) -> tuple[Incident, Postmortem]:
    """Return the incident of a call, which may be the one that another was merged into; raises `NotFound`."""
    incident, _ = services.api.incidents.get(checked_id(call))
    return incident, standing(Postmortems(services.api.links).get(incident.id), incident)


def _record(services: Services, call: Call) -> tuple[Record, Postmortem]:
    incident, kept = _found(services, call)
    return record_for(services, incident.id, kept), kept


def headers_of(kept: Postmortem) -> dict[str, str]:
    """Return the headers of an answer that is a post-mortem: the version of what people wrote as the ETag."""
    return {"ETag": f'"{kept.version}"'}


def _show(services: Services, call: Call) -> Reply:
    record, kept = _record(services, call)
    return Reply(as_json(draft_of(record, kept)), headers_of(kept))


def _markdown(services: Services, call: Call) -> Reply:
    record, kept = _record(services, call)
    return Reply(as_markdown(draft_of(record, kept)).encode(), headers_of(kept))


def _html(services: Services, call: Call) -> Reply:
    record, kept = _record(services, call)
    page = as_html(draft_of(record, kept), picture_of(record))
    return Reply(page.encode(), headers_of(kept) | _SHUT)


def _picture(services: Services, call: Call) -> Reply:
    record, _ = _record(services, call)
    return Reply(picture_of(record).encode(), _SHUT)


def _list(services: Services, call: Call) -> Reply:
    """List the resolved incidents whose severity wants a post-mortem."""
    wanted = words_in(call.query, "wanted", Wanted) or frozenset(Wanted)
    states = words_in(call.query, "state", PostmortemState) or frozenset(PostmortemState)
    asked = {severity: settings.postmortem for severity, settings in services.api.rule_set().oncall.severities.items()}
    severities = frozenset(severity for severity, word in asked.items() if word in wanted)
    if not severities:
        return Reply(WantedPageAnswer(postmortems=[], next=None))
    page = services.reads.incidents(
        statuses=frozenset({IncidentStatus.RESOLVED}),
        severities=severities,
        after=text_in(call.query, "after"),
        limit=limit_in(call.query),
        reader=call.reader,
    )
    found = [counted.incident for counted in page.incidents if not counted.incident.merged_into]
    stand = _states(services, found)
    listed = [_wanted(each, asked[each.severity], stand[each.id]) for each in found if stand[each.id] in states]
    return Reply(WantedPageAnswer(postmortems=listed, next=page.next))


def _states(services: Services, incidents: Sequence[Incident]) -> dict[str, PostmortemState]:
    """Return how far the post-mortem of each has come; published ones are looked at, for it may have been reopened."""
    kept = Postmortems(services.api.links)
    states = kept.states([incident.id for incident in incidents])
    published = kept.at_hand([name for name, state in states.items() if state is PostmortemState.PUBLISHED])
    return states | {
        incident.id: standing(published[incident.id], incident).state
        for incident in incidents
        if incident.id in published
    }


def _wanted(incident: Incident, wanted: str, state: PostmortemState) -> WantedAnswer:
    return WantedAnswer(
        id=incident.id,
        title=incident.title,
        severity=incident.severity,
        team=incident.team,
        resolved_at=instant(incident.resolved_at),
        wanted=wanted,
        state=state,
    )


def _versions(services: Services, call: Call) -> Reply:
    incident, _ = _found(services, call)
    kept = Postmortems(services.api.links).get(incident.id)
    earlier = Postmortems(services.api.links).versions(incident.id)
    listed = [kept, *earlier] if kept.version else []
    return Reply(PostmortemVersionsAnswer(versions=[_version(each) for each in listed]))


def _version(kept: Postmortem) -> PostmortemVersionAnswer:
    return PostmortemVersionAnswer(
        version=kept.version,
        state=kept.state,
        at=instant(kept.at),
        by=kept.by,
        sections={
            section: WrittenAnswer(text=written.text, by=written.by, at=instant(written.at) or "")
            for section, written in kept.sections.items()
        },
    )


# ------------------------------------------------------------------------------------------------------------- changing


def _changeable(services: Services, call: Call) -> tuple[Incident, Postmortem]:
    """Return the incident of a change; raises `Problem` 409 for one that was merged into another."""
    incident, kept = _found(services, call)
    if incident.merged_into:
        hint = f"Write in the post-mortem of {incident.merged_into}: it tells of both."
        raise Problem(409, f"{incident.id} was merged into {incident.merged_into}.", hint=hint)
    return incident, kept


def _edit(services: Services, call: Call) -> Reply:
    """Write sections anew, if nobody else has since they were read."""
    given = {section: getattr(call.body, section.value) for section in Section}
    written = {section: texts.lines(text) for section, text in given.items() if text is not None}
    if not written:
        raise unfit("", "There is nothing to write.", f"Send some of {', '.join(Section)}.")
    if not call.if_match.strip():
        raise Problem(428, "If-Match is missing: an edit says which version it is based on.", hint=READ_FIRST)
    incident, kept = _changeable(services, call)
    record = record_for(services, incident.id, kept)

    def make(before: Postmortem) -> Changed:
        return Changed(*edited(standing(before, incident), written, record=record, actor=call.actor, now=call.now))

    try:
        after = Postmortems(services.api.links).change(incident.id, version_in(call.if_match), make)
    except StalePostmortem as stale:
        raise _conflict(stale, written) from None
    return Reply(as_json(draft_of(record, after)), headers_of(after))


def _move(services: Services, call: Call) -> Reply:
    """Give it to review, publish it, or take it back."""
    body: PostmortemStateBody = call.body
    incident, kept = _changeable(services, call)
    record = record_for(services, incident.id, kept)

    def make(before: Postmortem) -> Changed:
        return Changed(*moved(standing(before, incident), body.state, record=record, actor=call.actor, now=call.now))

    try:
        after = Postmortems(services.api.links).change(incident.id, version_in(call.if_match), make)
    except StalePostmortem as stale:
        raise _conflict(stale, {}) from None
    return Reply(as_json(draft_of(record, after)), headers_of(after))


def _conflict(stale: StalePostmortem, given: Mapping[Section, str]) -> Problem:
    """Return the answer to a change that would have lost another: both texts of each section, and how they differ."""
    present = stale.present
    conflicts: dict[str, dict[str, Any]] = {}
    for section, text in given.items():
        written = present.sections.get(section)
        current = written.text if written is not None else ""
        conflicts[section.value] = {
            "current": current,
            "yours": text,
            "diff": difference(current, text, names=("current", "yours")),
            "by": written.by if written is not None else "",
            "at": instant(written.at) if written is not None else None,
        }
    etag = f'"{present.version}"'
    return Problem(
        409,
        f"{str(stale)[:1].upper()}{str(stale)[1:]}; nothing was written.",
        hint="Join both texts, and send them with If-Match as `etag` says.",
        headers={"ETag": etag},
        members={"etag": etag, "version": present.version, "state": present.state.value, "conflicts": conflicts},
    )


_WANTED = Parameter(
    name="wanted",
    description="Only those that are required, or only those that are optional.",
    schema=one_of(Wanted),
    many=True,
)
_STATE = Parameter(
    name="state",
    description="Only those that have come so far.",
    schema=one_of(state.value for state in PostmortemState),
    many=True,
)

ROUTES = (
    Route(
        method="GET",
        path="/postmortems",
        role=ApiRole.VIEWER,
        summary="List the resolved incidents of which a post-mortem is wanted, the latest first",
        handler=_list,
        answer=WantedPageAnswer,
        query=(_WANTED, _STATE, LIMIT, AFTER),
    ),
    Route(
        method="GET",
        path=_PATH,
        role=ApiRole.VIEWER,
        summary="Show the post-mortem: a draft from the record, and what people wrote",
        handler=_show,
        answer=PostmortemAnswer,
    ),
    Route(
        method="PATCH",
        path=_PATH,
        role=ApiRole.RESPONDER,
        summary="Write sections of the post-mortem; If-Match is the ETag of what was read",
        handler=_edit,
        answer=PostmortemAnswer,
        body=PostmortemBody,
        problems={409: "It was changed meanwhile, or is published; both texts are named.", 428: "If-Match is missing."},
    ),
    Route(
        method="POST",
        path=f"{_PATH}/state",
        role=ApiRole.RESPONDER,
        summary="Give the post-mortem to review, publish it, or take it back to a draft",
        handler=_move,
        answer=PostmortemAnswer,
        body=PostmortemStateBody,
        problems={409: "It has that state, the incident is open, or it was changed meanwhile."},
    ),
    Route(
        method="GET",
        path=f"{_PATH}/versions",
        role=ApiRole.VIEWER,
        summary="List every version of what people wrote in the post-mortem, the latest first",
        handler=_versions,
        answer=PostmortemVersionsAnswer,
    ),
    Route(
        method="GET",
        path=f"{_PATH}.md",
        role=ApiRole.VIEWER,
        summary="Show the post-mortem as Markdown",
        handler=_markdown,
        answer=bytes,
        media_type=MARKDOWN,
    ),
    Route(
        method="GET",
        path=f"{_PATH}.html",
        role=ApiRole.VIEWER,
        summary="Show the post-mortem as a page to print",
        handler=_html,
        answer=bytes,
        media_type=HTML,
    ),
    Route(
        method="GET",
        path="/incidents/{incident_id}/picture.svg",
        role=ApiRole.VIEWER,
        summary="Show the incident as a picture over the time",
        handler=_picture,
        answer=bytes,
        media_type=SVG,
    ),
)
