"""The post-mortem over the API: read as JSON, Markdown, page and picture, with every version that people wrote."""

from collections.abc import Sequence

from incidents.incident import Incident
from incidents.postmortem.draft import as_json, draft_of
from incidents.postmortem.editing import standing
from incidents.postmortem.markdown import as_markdown
from incidents.postmortem.picture import picture_of
from incidents.postmortem.printed import as_html
from incidents.postmortem.record import Record
from incidents.postmortem.values import Postmortem, PostmortemState
from incidents.presentation import instant
from incidents.store.postmortems import Postmortems
from incidents.values import IncidentStatus
from receiver.api.incidents import checked_id
from receiver.api.postmortem_answers import (
    PostmortemAnswer,
    PostmortemVersionAnswer,
    PostmortemVersionsAnswer,
    Wanted,
    WantedAnswer,
    WantedPageAnswer,
    WrittenAnswer,
)
from receiver.api.reading import AFTER, LIMIT, limit_in, one_of, text_in, words_in
from receiver.api.records import record_for
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole

MARKDOWN, HTML, SVG = "text/markdown; charset=utf-8", "text/html; charset=utf-8", "image/svg+xml"
# Nothing in it may load or run anything, whatever is in it.
_SHUT = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
PATH = "/incidents/{incident_id}/postmortem"


def found(services: Services, call: Call) -> tuple[Incident, Postmortem]:
    """Return the incident of a call, which may be the one that another was merged into; raises `NotFound`."""
    incident, _ = services.api.incidents.get(checked_id(call))
    return incident, standing(Postmortems(services.api.links).get(incident.id), incident)


def _record(services: Services, call: Call) -> tuple[Record, Postmortem]:
    incident, kept = found(services, call)
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
    resolved = [counted.incident for counted in page.incidents if not counted.incident.merged_into]
    stand = _states(services, resolved)
    listed = [_wanted(each, asked[each.severity], stand[each.id]) for each in resolved if stand[each.id] in states]
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
    incident, _ = found(services, call)
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
        path=PATH,
        role=ApiRole.VIEWER,
        summary="Show the post-mortem: a draft from the record, and what people wrote",
        handler=_show,
        answer=PostmortemAnswer,
    ),
    Route(
        method="GET",
        path=f"{PATH}/versions",
        role=ApiRole.VIEWER,
        summary="List every version of what people wrote in the post-mortem, the latest first",
        handler=_versions,
        answer=PostmortemVersionsAnswer,
    ),
    Route(
        method="GET",
        path=f"{PATH}.md",
        role=ApiRole.VIEWER,
        summary="Show the post-mortem as Markdown",
        handler=_markdown,
        answer=bytes,
        media_type=MARKDOWN,
    ),
    Route(
        method="GET",
        path=f"{PATH}.html",
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
