"""What is new, for the script of a page: as a stream of events where there is a seat, else for the asking.

Whatever a stream tells is JSON on one line, so that no text can begin a line of its own.
"""

import hashlib
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec
from flask import Response, current_app, request

from incidents.errors import NotFound, StoreUnavailable
from incidents.store.connection import Links
from incidents.store.following import News, entries_after, newest_entry, place_of
from incidents.store.reads import Counted, is_entry_id
from receiver.api.incidents import checked_id
from receiver.auth import ApiRole
from receiver.problems import Problem
from receiver.web.guard import HEADERS
from receiver.web.live import HUB, Hub, OpenOnes
from receiver.web.rendering import iso
from receiver.web.route import PageRoute, Visit

BEAT_SECONDS = 4.0  # a script takes ten seconds of silence for a lost connection
STREAM_SECONDS = 15 * 60.0  # then the browser comes again
AGAIN_MS = 2000
_STREAM = "text/event-stream"
_HEADERS = {**HEADERS, "X-Accel-Buffering": "no", "Vary": "Accept, Cookie"}


def event(name: str, data: object, event_id: str = "") -> bytes:
    """Return one event; `data` becomes JSON."""
    first = f"id: {event_id}\n" if event_id else ""
    return b"%sevent: %s\ndata: %s\n\n" % (first.encode(), name.encode(), msgspec.json.encode(data))


def mark_of(incidents: Sequence[Counted], reader: str | None) -> str:
    """Return what changes when the list of who looks does: its incidents, or what is said of one."""
    shown = [
        (one.id, one.status, one.severity, one.title, one.roles.incident_commander, firing.firing > 0)
        for one, firing in incidents
        if one.is_seen_by(reader)
    ]
    return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()[:16]


class Following:
    """One stream of events, of an incident or of the list (`incident_id` is empty)."""

    def __init__(self, visit: Visit, hub: Hub, incident_id: str, after: str) -> None:
        self._visit = visit
        self._links: Links = visit.services.api.links
        self._hub = hub
        self._incident_id = incident_id
        self._after = after

    def events(self) -> Iterator[bytes]:
        """Yield the events until the quarter of an hour, the session, or the process is over."""
        until = time.monotonic() + STREAM_SECONDS
        yield b"retry: %d\n\n" % AGAIN_MS
        try:
            with self._hub.watching(self._incident_id) as watcher:
                yield from self._missed()
                beat_at = 0.0
                while not self._hub.has_ended and time.monotonic() < until:
                    if time.monotonic() >= beat_at:
                        beat_at = time.monotonic() + BEAT_SECONDS
                        if not self._may_go_on():
                            yield event("end", {"why": "You are signed out, or this is no longer for you."})
                            return
                        yield event("beat", {"now": iso(self._now())})
                    try:
                        told = watcher.next(max(beat_at - time.monotonic(), 0.01))
                    except queue.Empty:
                        continue
                    if told is None:
                        return
                    yield from self._told(told)
        except StoreUnavailable:
            return  # the browser comes again, and says meanwhile from when its data are

    def _missed(self) -> Iterator[bytes]:
        if self._incident_id:
            for news in entries_after(self._links, self._incident_id, self._after):
                yield from self._told(news)
        else:
            yield from self._told(self._hub.open_ones())

    def _told(self, told: News | OpenOnes) -> Iterator[bytes]:
        if isinstance(told, OpenOnes):
            mark = mark_of(told.incidents, self._visit.reader)
            if mark != self._after:
                self._after = mark
                yield event("list", {"mark": mark}, mark)
        elif place_of(told.entry_id) > place_of(self._after):
            self._after = told.entry_id
            yield event("entry", entry_of(told), told.entry_id)

    def _may_go_on(self) -> bool:
        if not self._visit.is_signed_in():
            return False
        return not self._incident_id or is_seen(self._visit, self._incident_id)

    def _now(self) -> datetime:
        return self._visit.clock()


def entry_of(news: News) -> dict[str, object]:
    """Return what a page is told of an entry: enough to say it aloud; how it looks is the page's."""
    entry = news.entry
    return {
        "id": news.entry_id,
        "at": iso(entry.at),
        "kind": entry.kind.value,
        "actor": entry.actor,
        "text": entry.text,
    }


def is_seen(visit: Visit, incident_id: str) -> bool:
    """Whether an incident is (still) for who looks."""
    try:
        return visit.services.api.incidents.get(incident_id)[0].is_seen_by(visit.reader)
    except NotFound:
        return False


def _events(visit: Visit) -> Response:
    """Answer with a stream where one was asked for and a seat is free; else with the mark of what is new."""
    asked = visit.query.get("incident", "")
    incident_id = checked_id(visit._replace(path={"incident_id": asked}).call()) if asked else ""
    if incident_id and not is_seen(visit, incident_id):
        raise NotFound("incident", incident_id)
    if _STREAM in request.headers.get("Accept", ""):
        return _stream(visit, incident_id)
    return _mark(visit, incident_id)


def _stream(visit: Visit, incident_id: str) -> Response:
    hub: Hub = current_app.extensions[HUB]
    after = request.headers.get("Last-Event-ID", "") or visit.query.get("after", "")
    if incident_id and not (after and is_entry_id(after)):
        after = newest_entry(visit.services.api.links, incident_id)
    caller = visit.who.name
    if not hub.take_seat(caller):
        raise Problem(
            503,
            "Too many windows follow what happens.",
            hint="This one asks every few seconds instead. Close those that nobody looks at.",
            headers={"Retry-After": "60"},
        )
    response = Response(Following(visit, hub, incident_id, after).events(), headers=_HEADERS, content_type=_STREAM)
    response.call_on_close(_once(lambda: hub.leave_seat(caller)))
    return response


def _once(act: Callable[[], None]) -> Callable[[], None]:
    left = [act]

    def close() -> None:
        while left:
            left.pop()()

    return close


def _mark(visit: Visit, incident_id: str) -> Response:
    if incident_id:
        mark = newest_entry(visit.services.api.links, incident_id)
    else:
        hub: Hub = current_app.extensions[HUB]
        mark = mark_of(hub.open_ones().incidents, visit.reader)
    body = msgspec.json.encode({"mark": mark, "now": iso(visit.now)})
    response = Response(body, headers=_HEADERS, content_type="application/json")
    response.set_etag(mark)
    response.make_conditional(request)
    return response


ROUTES = (PageRoute(method="GET", path="/events", role=ApiRole.VIEWER, handler=_events),)
