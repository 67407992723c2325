"""Post-incident actions over the API: written down and changed with their incident, listed over all of them."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from incidents import events
from incidents.incident import Incident
from incidents.post_incident_actions import ActionState, PostIncidentAction
from incidents.presentation import instant
from incidents.store.post_incident_actions import PostIncidentActions
from incidents.transitions import UnfitAction
from receiver.api import texts, wire
from receiver.api.answers import Answer, Cursor, Instant
from receiver.api.commands import apply, command, reply_of
from receiver.api.incidents import checked_id
from receiver.api.reading import AFTER, LIMIT, limit_in, one_of, text_in, unfit, words_in
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole

MAX_LINK = 2048
LATEST = timedelta(days=5 * 366)  # what is due later than this, or before, is a slip of the pen
EARLIEST = date(2000, 1, 1)


class Overdue(StrEnum):
    """Whether only overdue actions are wanted, or only the others."""

    YES = "true"
    NO = "false"


Name = Annotated[str, msgspec.Meta(max_length=wire.MAX_NAME)]
Url = Annotated[str, msgspec.Meta(max_length=MAX_LINK)]


class PostIncidentActionBody(wire.Body, frozen=True, kw_only=True):
    """What is to be done after the incident; with `id`, what changes of the action of that id (null takes it away)."""

    text: wire.Text | UnsetType = UNSET
    owner: Name | UnsetType | None = UNSET
    due: date | UnsetType | None = UNSET
    link: Url | UnsetType | None = UNSET
    id: wire.Name | UnsetType = UNSET
    state: ActionState | UnsetType = UNSET


class PostIncidentActionAnswer(Answer, frozen=True, kw_only=True):
    """What is to be done after an incident; `overdue`: it is open, and the day on which it was due is over."""

    incident: str
    title: str
    rule: str | None
    id: str
    text: str
    owner: str | None
    due: str | None
    link: str | None
    state: ActionState
    overdue: bool
    at: Instant
    by: str
    changed_at: Instant | None


class PostIncidentActionsAnswer(Answer, frozen=True, kw_only=True):
    """Some post-incident actions: open ones first, by when they are due."""

    post_incident_actions: list[PostIncidentActionAnswer]
    next: Cursor


def shown(incident: Incident, action: PostIncidentAction, now: datetime) -> dict[str, Any]:
    """Return an action with the names of the API."""
    return {
        "incident": incident.id,
        "title": incident.title,
        "rule": incident.rule,
        "id": action.id,
        "text": action.text,
        "owner": action.owner or None,
        "due": action.due.isoformat() if action.due else None,
        "link": action.link or None,
        "state": action.state.value,
        "overdue": action.is_overdue(now),
        "at": instant(action.at),
        "by": action.by,
        "changed_at": instant(action.changed_at),
    }


def _write(services: Services, call: Call) -> Reply:
    body: PostIncidentActionBody = call.body
    event = events.PostIncidentActionWritten(
        actor=call.actor,
        id=body.id or "",
        text=_text(body),
        owner=None if body.owner is UNSET else texts.one_line(body.owner or ""),
        due=_due(body.due, call.now),
        link=None if body.link is UNSET else _link(body.link or ""),
        state=None if body.state is UNSET else body.state,
    )
    try:
        done = apply(services, call, event)
        return reply_of(done, _note(done.incident, event, call.now))
    except UnfitAction as error:
        raise unfit("/id" if event.id else "", error.why) from error


def _note(incident: Incident, event: events.PostIncidentActionWritten, now: datetime) -> str:
    """Say of an action whose day is over that it is overdue: it may be a slip of the pen."""
    written = incident.post_incident_actions
    action = next((each for each in written if each.id == event.id), written[-1] if written else None)
    if action is None or not action.is_overdue(now):
        return ""
    return f"Post-incident action {action.id} was due on {action.due}: it is overdue."


def _text(body: PostIncidentActionBody) -> str | None:
    if body.text is UNSET:
        if body.id is UNSET:
            hint = 'Send {"text": "..."} for a new one, or the id of one that changes.'
            raise unfit("/text", "The field 'text' is missing.", hint)
        return None
    text = texts.lines(body.text)
    if not text:
        raise unfit("/text", "Text is empty.")
    return text


def _due(due: date | UnsetType | None, now: datetime) -> date | UnsetType | None:
    if due is None or due is UNSET:
        return due
    assert isinstance(due, date)  # noqa: S101 - the two others are gone
    latest = now.date() + LATEST
    if not EARLIEST <= due <= latest:
        hint = "Leave it out where nobody knows yet."
        raise unfit("/due", f"Due has to be a day from {EARLIEST} to {latest}.", hint)
    return due


def _link(link: str) -> str:
    if not link:
        return ""
    try:
        parts = urlsplit(link)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        fits = False
    if not fits or not texts.is_fit(link) or any(character.isspace() for character in link):
        hint = "Paste the address of the issue, such as https://tracker.example.org/OPS-12."
        raise unfit("/link", "Link is no http or https address.", hint)
    return link


def _list(services: Services, call: Call) -> Reply:
    overdue = words_in(call.query, "overdue", Overdue)
    page = PostIncidentActions(services.api.links).listed(
        now=call.now,
        states=frozenset(ActionState(word) for word in words_in(call.query, "state", ActionState)),
        overdue=None if len(overdue) != 1 else Overdue.YES in overdue,
        reader=call.reader,
        after=text_in(call.query, "after"),
        limit=limit_in(call.query),
    )
    found = [shown(of.incident, of.action, call.now) for of in page.actions]
    return Reply({"post_incident_actions": found, "next": page.next})


def _of_incident(services: Services, call: Call) -> Reply:
    incident, _ = services.api.incidents.get(checked_id(call))
    found = [shown(incident, action, call.now) for action in incident.post_incident_actions]
    return Reply({"post_incident_actions": found, "next": None})


_STATE = Parameter(
    name="state",
    description="Only actions that are in these states.",
    schema=one_of(state.value for state in ActionState),
    many=True,
)
_OVERDUE = Parameter(
    name="overdue",
    description="`true`: only open ones whose day is over; `false`: only the others.",
    schema=one_of(each.value for each in Overdue),
)

ROUTES = (
    Route(
        method="GET",
        path="/post_incident_actions",
        role=ApiRole.VIEWER,
        summary="List what is to be done after incidents, open ones first, by when they are due",
        handler=_list,
        answer=PostIncidentActionsAnswer,
        query=(_STATE, _OVERDUE, LIMIT, AFTER),
    ),
    Route(
        method="GET",
        path="/incidents/{incident_id}/post_incident_actions",
        role=ApiRole.VIEWER,
        summary="List what is to be done after this incident",
        handler=_of_incident,
        answer=PostIncidentActionsAnswer,
    ),
    command(
        "post_incident_actions",
        "Write down what is to be done after the incident, or change it",
        _write,
        PostIncidentActionBody,
    ),
)
