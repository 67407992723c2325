"""The post-mortem over the API: written by people, reviewed and published, each change on the version that was read."""

from collections.abc import Mapping
from typing import Any

from incidents.document.versions import difference
from incidents.incident import Incident
from incidents.postmortem.draft import as_json, draft_of
from incidents.postmortem.editing import edited, moved, standing
from incidents.postmortem.values import Postmortem, Section
from incidents.presentation import instant
from incidents.store.postmortems import Changed, Postmortems, StalePostmortem
from receiver.api import texts
from receiver.api.postmortem import PATH, found, headers_of
from receiver.api.postmortem_answers import PostmortemAnswer, PostmortemBody, PostmortemStateBody
from receiver.api.reading import unfit, version_in
from receiver.api.records import record_for
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.problems import Problem

READ_FIRST = "Read the post-mortem, and send its ETag as If-Match; If-Match: * writes over whatever there is."


def _changeable(services: Services, call: Call) -> tuple[Incident, Postmortem]:
    """Return the incident of a change; raises `Problem` 409 for one that was merged into another."""
    incident, kept = found(services, call)
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


ROUTES = (
    Route(
        method="PATCH",
        path=PATH,
        role=ApiRole.RESPONDER,
        summary="Write sections of the post-mortem; If-Match is the ETag of what was read",
        handler=_edit,
        answer=PostmortemAnswer,
        body=PostmortemBody,
        problems={409: "It was changed meanwhile, or is published; both texts are named.", 428: "If-Match is missing."},
    ),
    Route(
        method="POST",
        path=f"{PATH}/state",
        role=ApiRole.RESPONDER,
        summary="Give the post-mortem to review, publish it, or take it back to a draft",
        handler=_move,
        answer=PostmortemAnswer,
        body=PostmortemStateBody,
        problems={409: "It has that state, the incident is open, or it was changed meanwhile."},
    ),
)
