"""`/ack/TOKEN`: the page behind the link of a page, where whoever was paged acknowledges.

The link is the credential, so there is neither session nor token nor script. Looking at it changes nothing, since
scanners of mail follow links: only the button does, which posts to the same address.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from flask import Blueprint, Response, request

from incidents.errors import NotFound, TransitionNotAllowed
from incidents.events import Acknowledge
from incidents.incident import Incident
from incidents.links import AckLink, unseal
from incidents.page_test import is_test
from incidents.presentation import instant
from incidents.sealed import BadLink
from incidents.store.connection import checked
from incidents.store.links import Used, signing_key, use_command, used_by
from incidents.store.page_tests import acknowledge_test, read_test
from incidents.values import IncidentStatus
from receiver.audit import trail
from receiver.deps import ApiDeps, Deps
from receiver.problems import Problem, problem_of
from receiver.web.rendering import Renderer, span

# Nothing but our style: no script, no frame around it, no address handed on, nothing kept.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
_PAGES = Renderer("")


class _Row(NamedTuple):
    """One incident as the page shows it."""

    id: str
    title: str
    severity: str
    state: str
    waits: bool
    is_shown: bool = True  # there is a page of it

    @classmethod
    def of(cls, incident: Incident, person: str, now: datetime) -> "_Row":
        """Return an incident as it is for the person who was paged: a handover waits for the successor alone."""
        successor = incident.handover.to if incident.handover is not None else ""
        waits = incident.is_open and (
            incident.acknowledged_at is None
            or successor == person
            or (incident.paging is not None and incident.paging.next_at is not None)
        )
        state = "not acknowledged yet" if waits else incident.status.value
        if successor and incident.is_open:
            commander = incident.roles.incident_commander or "nobody"
            state = f"{successor} was asked to take over from {commander}"
        elif incident.acknowledged_at is not None:
            first = _first(incident.acknowledged_by or "somebody", incident.acknowledged_at, now)
            state = first if incident.status is IncidentStatus.ACKNOWLEDGED and not waits else f"{state}; {first}"
        return cls(incident.id, incident.title, incident.severity.value, state, waits)


def blueprint(deps: Deps) -> Blueprint:
    """Return the routes of links."""
    routes = Blueprint("acknowledging", __name__)
    if deps.api is not None:
        desk = _Desk(deps, deps.api)
        routes.add_url_rule("/ack/<token>", "show", _told(desk.show), methods=["GET"])
        routes.add_url_rule("/ack/<token>", "acknowledge", _told(desk.acknowledge), methods=["POST"])
    return routes


def _told(view: Callable[[str], Response]) -> Callable[[str], Response]:
    """Return a view that tells a browser what is wrong in words, and where to go on."""

    def answered(token: str) -> Response:
        try:
            return view(token)
        except Exception as error:  # noqa: BLE001 - the request boundary: `problem_of` records what nobody foresaw
            problem = problem_of(error)
            if not _is_browser():
                return problem.response()
            values = {"rows": (), "heading": problem.detail, "told": problem.hint, "button": "", "is_wrong": True}
            page = _PAGES.render("acknowledge.html", values)
            headers = {**problem.headers, **_HEADERS}
            return Response(page, problem.status, headers, content_type="text/html; charset=utf-8")

    return answered


class _Desk:
    def __init__(self, deps: Deps, api: ApiDeps) -> None:
        self._now = deps.now
        self._api = api

    def show(self, token: str) -> Response:
        """Show the incidents of a link with a button; changes nothing."""
        link, used = self._opened(token)
        rows = self._rows(link)
        if used is not None:
            return _answer(rows, "Acknowledged", _was_used(used))
        waiting = sum(row.waits for row in rows)
        if not waiting:
            return _answer(rows, "Nothing to acknowledge", "Somebody was faster, or it is over.")
        button = "Acknowledge" if waiting == 1 else f"Acknowledge all {waiting}"
        return _answer(rows, f"Page for {link.person}", "", button=button)

    def acknowledge(self, token: str) -> Response:
        """Acknowledge the incidents of a link, once; the second time it says who was first."""
        link, used = self._opened(token)
        if used is not None:
            return _answer(self._rows(link), "Acknowledged before", _was_used(used))
        done = [name for name in link.incidents if self._acknowledge(token, link, name)]
        told = f"Acknowledged by {link.person}." if done else "Somebody was faster, or it is over: nothing was changed."
        return _answer(self._rows(link), "Acknowledged" if done else "Not needed any more", told, done=done)

    def _opened(self, token: str) -> tuple[AckLink, Used | None]:
        with self._api.links.borrow() as store:
            key, used = signing_key(store), used_by(store, token)
        try:
            link = unseal(token, key)
        except BadLink as error:
            raise Problem(404, "This is no link of a page.", hint="Copy the whole address from the message.") from error
        if self._now() >= link.expires_at:
            hint = f"Use `tocsin incidents acknowledge {link.incidents[0] if link.incidents else 'ID'}`."
            raise Problem(410, f"This link expired at {instant(link.expires_at)}.", hint=hint)
        return link, used

    def _rows(self, link: AckLink) -> list[_Row]:
        rows, now = [], self._now()  # one instant: an incident that is named twice has to look the same
        for name in link.incidents:
            try:
                if is_test(name):
                    rows.append(self._row_of_test(name))
                    continue
                rows.append(_Row.of(self._api.incidents.home(name)[0], link.person, now))
            except NotFound:
                continue
        return list(dict.fromkeys(rows))

    def _row_of_test(self, name: str) -> _Row:
        with self._api.links.borrow() as store:
            test = read_test(store, name)
        by, at = test.acknowledged_by, test.acknowledged_at
        state = _first(by, at, self._now()) if at else "not acknowledged yet"
        return _Row(name, "A test page: nothing is wrong", "SEV4", state, at is None, is_shown=False)

    def _acknowledge(self, token: str, link: AckLink, name: str) -> bool:
        now = self._now()
        if is_test(name):
            with self._api.links.borrow() as store:
                checked(store.ask([use_command(token, link, now)]))
                return acknowledge_test(store, name, link.person, now)
        try:
            name = self._api.incidents.home(name)[0].id
            with trail().change(link.person, "POST /ack", name):
                event = Acknowledge(actor=link.person, note="by the link of a page")
                done = self._api.incidents.apply(name, event, now=now, also=[use_command(token, link, now)])
        except (NotFound, TransitionNotAllowed):
            return False
        return done.reason in {"acknowledged", "handed over"}


def _was_used(used: Used) -> str:
    return f"This link was used by {used.person} at {used.at:%H:%M:%S} UTC on {used.at:%Y-%m-%d}; it works once."


def _first(by: str, at: datetime, now: datetime) -> str:
    return f"acknowledged first by {by} {span(now - at)} ago, at {at:%H:%M:%S} UTC"


def _is_browser() -> bool:
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _answer(rows: Sequence[_Row], heading: str, told: str, *, button: str = "", done: Sequence[str] = ()) -> Response:
    """Answer a page to browsers, and JSON to programs."""
    if _is_browser():
        values = {"rows": rows, "heading": heading, "told": told, "button": button, "is_wrong": False}
        page = _PAGES.render("acknowledge.html", values)
        return Response(page, headers=_HEADERS, content_type="text/html; charset=utf-8")
    body: dict[str, Any] = {
        "acknowledged": list(done),
        "told": told,
        "incidents": [{"id": row.id, "severity": row.severity, "title": row.title, "state": row.state} for row in rows],
    }
    return Response(msgspec.json.encode(body), headers=_HEADERS, content_type="application/json")
