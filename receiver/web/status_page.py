"""The status page for stakeholders: shared by who may see the incident, by a link that expires and can be ended.

The link is the credential, so there is neither session nor script. It shows summary, state and communications in the
words of those who wrote them, and nothing else. It ends with the token of who made it, and where that person may no
longer see the incident.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import Response

from incidents.errors import NotFound
from incidents.incident import Incident
from incidents.sealed import BadLink
from incidents.status_page import StatusLink, id_of, said_in, unseal
from incidents.store.links import signing_key
from incidents.store.status_links import is_ended
from incidents.timeline import EntryKind
from incidents.values import IncidentStatus
from receiver.api.route import Services
from receiver.api.status_links import PATH as _LINKS
from receiver.api.status_links import may_share
from receiver.auth import ApiRole
from receiver.deps import Deps
from receiver.problems import Problem, problem_of
from receiver.web.guard import HEADERS
from receiver.web.incident import seen
from receiver.web.rendering import Renderer
from receiver.web.route import Page, PageRoute, Redirect, Visit

_SHARE = "/incidents/{incident_id}/share"
LASTS = ("1", "3", "7")  # days that the form offers
COMMUNICATIONS = frozenset({EntryKind.COMMUNICATION})
MOST_ENTRIES = 200
IN_WORDS: Mapping[IncidentStatus, str] = {
    IncidentStatus.DECLARED: "We have noticed it, and are calling somebody.",
    IncidentStatus.ACKNOWLEDGED: "Somebody is working on it.",
    IncidentStatus.MITIGATED: "It should be felt no longer; we are still at it.",
    IncidentStatus.RESOLVED: "It is over.",
    IncidentStatus.DISMISSED: "It was no incident.",
}
ENDED = "This link shows nothing any more."
_HEADERS = {**HEADERS, "Referrer-Policy": "no-referrer"}


class Told(NamedTuple):
    """What was told, and when."""

    at: datetime
    text: str


# Sharing


def _show(visit: Visit, problem: Problem | None = None, made: Mapping[str, Any] | None = None) -> Page:
    """Return the page that makes links and ends them; `made` is one that was made just now, and is shown once."""
    incident, _ = seen(visit)
    values = {
        "incident": incident,
        "links": visit.ask(_LINKS)["status_links"],
        "audiences": tuple(visit.services.api.rule_set().oncall.audiences),
        "made": made,
        "problem": problem,
        "typed": visit.form if problem is not None else {},
    }
    return Page("sharing.html", values, problem.status if problem else 200)


def _get(visit: Visit) -> Page | Redirect:
    return _show(visit)


def _share(visit: Visit) -> Page | Redirect:
    days = visit.form.get("days", "1")
    body = {"audience": visit.form.get("audience", ""), "days": int(days) if days in LASTS else 0}
    try:
        return _show(visit, made=visit.perform("POST", _LINKS, body))
    except Problem as problem:
        return _show(visit, problem)


def _end(visit: Visit) -> Page | Redirect:
    """End the link that the form names, or every one."""
    link_id = visit.form.get("link", "")
    if link_id:
        one = visit._replace(path={**visit.path, "link_id": link_id})
        one.perform("DELETE", f"{_LINKS}/{{link_id}}", {})
        told = "The link has ended: it shows nothing any more."
    else:
        visit.perform("DELETE", _LINKS, {})
        told = "Every link to the status page has ended."
    return Redirect(f"/incidents/{visit.path['incident_id']}/share", told)


# Looking


class StatusDesk:
    """Answers whoever holds a link. For many threads."""

    def __init__(self, deps: Deps, services: Services, renderer: Renderer) -> None:
        self._now = deps.now
        self._services = services
        self._renderer = renderer

    def show(self, token: str) -> Response:
        """Show the status page of a link; what holds no longer looks like what never did."""
        now = self._now()
        try:
            incident, link = self._opened(token, now)
            told = self._told(incident, link)
        except Exception as error:  # noqa: BLE001 - the request boundary: `problem_of` records what nobody foresaw
            problem = problem_of(error)
            return self._answer("status_ended.html", {"problem": problem}, problem.status)
        values = {"incident": incident, "link": link, "told": told, "said": IN_WORDS[incident.status], "now": now}
        return self._answer("status.html", values, 200)

    def _opened(self, token: str, now: datetime) -> tuple[Incident, StatusLink]:
        """Return the incident of a link that holds; raises `Problem` 404 for every other."""
        ended = Problem(404, ENDED, hint="Ask whoever gave it to you for a new one.")
        with self._services.api.links.borrow() as store:
            try:
                link = unseal(token, signing_key(store))
            except BadLink:
                raise ended from None
            if now >= link.expires_at or is_ended(store, link.incident, id_of(token), link.made_at):
                raise ended
        try:
            incident, _ = self._services.api.incidents.home(link.incident)
        except NotFound:
            raise ended from None
        if not may_share(self._services.deps, link, incident):
            raise ended
        return incident, link

    def _told(self, incident: Incident, link: StatusLink) -> list[Told]:
        page = self._services.reads.latest(incident.id, kinds=COMMUNICATIONS, limit=MOST_ENTRIES)
        found = ((entry, said_in(entry, link.audience)) for entry in page.entries)
        return [Told(entry.at, text) for entry, text in found if text]

    def _answer(self, template: str, values: Mapping[str, Any], status: int) -> Response:
        page = self._renderer.render(template, values)
        return Response(page, status, _HEADERS, content_type="text/html; charset=utf-8")


ROUTES = (
    PageRoute(method="GET", path=_SHARE, role=ApiRole.RESPONDER, handler=_get),
    PageRoute(method="POST", path=_SHARE, role=ApiRole.RESPONDER, handler=_share),
    PageRoute(method="POST", path=f"{_SHARE}/end", role=ApiRole.RESPONDER, handler=_end),
)
