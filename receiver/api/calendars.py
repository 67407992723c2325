"""The shifts of a rotation as an iCalendar feed: with a token, or by an address that bears its own secret.

Calendar programs send no token, so each rotation has an address that only who may ask for it knows. It shows shifts
alone, and changes nothing.
"""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256

from flask import Blueprint, Response

from incidents.errors import NotFound
from incidents.oncall import OnCall
from incidents.rota.calendar import calendar_of
from incidents.rotations import preview
from incidents.store.connection import Links
from incidents.store.links import signing_key
from receiver.api.answers import Answer
from receiver.api.reading import text_in
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.deps import ApiDeps, Deps

MEDIA_TYPE = "text/calendar; charset=utf-8"
BACK, AHEAD = timedelta(weeks=4), timedelta(weeks=26)
_DIGITS = 40


class CalendarAnswer(Answer, frozen=True, kw_only=True):
    """A rotation, and the path of its feed for calendar programs, which is a secret."""

    rotation: str
    path: str


class CalendarsAnswer(Answer, frozen=True, kw_only=True):
    """The feeds of all rotations."""

    calendars: list[CalendarAnswer]
    next: None = None


def _list(services: Services, call: Call) -> Reply:
    del call
    links, oncall = services.api.links, services.api.rule_set().oncall
    feeds = [
        CalendarAnswer(rotation=name, path=f"/calendars/{name}/{_secret(links, name)}.ics") for name in oncall.rotations
    ]
    return Reply(CalendarsAnswer(calendars=feeds))


def _show(services: Services, call: Call) -> Reply:
    person = text_in(call.query, "person")
    return Reply(feed(services.api.rule_set().oncall, call.path["rotation"], call.now, person=person))


def feed(oncall: OnCall, name: str, now: datetime, *, person: str = "") -> bytes:
    """Return the feed of a rotation from four weeks ago until half a year from now, with one person's shifts or all.

    Raises `NotFound` for a rotation or a person that is not there.
    """
    if name not in oncall.rotations:
        raise NotFound("rotation", name[:64])
    if person and person not in oncall.people:
        raise NotFound("person", person[:64])
    shifts = preview(oncall.rotations[name], now - BACK, now + AHEAD)
    shown = [shift for shift in shifts if person in ("", shift.person)]
    return calendar_of({name: shown}, oncall.people, now=now)


def blueprint(deps: Deps) -> Blueprint:
    """Return the addresses for calendar programs."""
    routes = Blueprint("calendars", __name__)
    if deps.api is not None:
        routes.add_url_rule("/calendars/<rotation>/<secret>.ics", "feed", _Desk(deps, deps.api).show, methods=["GET"])
    return routes


class _Desk:
    def __init__(self, deps: Deps, api: ApiDeps) -> None:
        self._now = deps.now
        self._api = api

    def show(self, rotation: str, secret: str) -> Response:
        """Show the feed of a rotation to whoever knows its secret."""
        if not hmac.compare_digest(_secret(self._api.links, rotation).encode(), secret.encode()):
            raise NotFound("calendar", rotation[:64])
        return Response(feed(self._api.rule_set().oncall, rotation, self._now()), content_type=MEDIA_TYPE)


def _secret(links: Links, rotation: str) -> str:
    with links.borrow() as link:
        key = signing_key(link)
    return hmac.new(key, b"calendar|" + rotation.encode(), sha256).hexdigest()[:_DIGITS]


ROUTES = (
    Route(
        method="GET",
        path="/oncall/calendars",
        role=ApiRole.RESPONDER,
        summary="List the addresses of the feeds for calendar programs",
        handler=_list,
        answer=CalendarsAnswer,
    ),
    Route(
        method="GET",
        path="/oncall/{rotation}.ics",
        role=ApiRole.VIEWER,
        summary="Show the shifts of a rotation as an iCalendar feed",
        handler=_show,
        answer=bytes,
        media_type=MEDIA_TYPE,
        query=(Parameter(name="person", description="The shifts of this person alone."),),
    ),
)
