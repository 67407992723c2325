"""The status page for stakeholders: shared by who may see the incident, by a link that expires and can be ended.

The link is the credential, so there is neither session nor script. It shows summary, state and communications in the
words of those who wrote them, and nothing else. It ends with the token of who made it, and where that person may no
longer see the incident.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import Response

from incidents.errors import NotFound
from incidents.incident import Incident
from incidents.links import BadLink
from incidents.status_page import LONGEST, StatusLink, said_in, seal, unseal
from incidents.store.links import signing_key
from incidents.store.status_links import end_links, ended_at
from incidents.timeline import EntryKind
from incidents.values import IncidentStatus
from receiver.api.route import Services
from receiver.audit import trail
from receiver.auth import ApiRole
from receiver.deps import Deps
from receiver.problems import Problem, problem_of
from receiver.web.guard import HEADERS
from receiver.web.incident import seen
from receiver.web.rendering import Renderer
from receiver.web.route import Page, PageRoute, Redirect, Visit

_SHARE = "/incidents/{incident_id}/share"
LASTS: Mapping[str, timedelta] = {"1": timedelta(days=1), "3": timedelta(days=3), "7": LONGEST}
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


def _share(visit: Visit) -> Page | Redirect:
    """Make a link; it is shown once, to who made it."""
    incident, _ = seen(visit)
    lasts = LASTS.get(visit.form.get("days", "1"))
    audience = visit.form.get("audience", "")
    if lasts is None or audience not in {"", *_audiences(visit)}:
        raise Problem(422, "A link lasts 1, 3 or 7 days, for one of the audiences that are there.")
    link = StatusLink(
        incident=incident.id, by=visit.who.name, audience=audience, made_at=visit.now, expires_at=visit.now + lasts
    )
    with trail().change(visit.who.name, f"POST {_SHARE}", incident.id), visit.services.api.links.borrow() as store:
        address = f"{visit.services.api.external_url}/status/{seal(link, signing_key(store))}"
    return Page("shared.html", {"incident": incident, "link": link, "address": address})


def _audiences(visit: Visit) -> list[str]:
    return list(visit.services.api.rule_set().oncall.audiences)


def _end(visit: Visit) -> Page | Redirect:
    incident, _ = seen(visit)
    with trail().change(visit.who.name, f"POST {_SHARE}/end", incident.id), visit.services.api.links.borrow() as store:
        end_links(store, incident.id, visit.now)
    return Redirect(f"/incidents/{incident.id}", "Every link to its status page has ended.")


# Looking


class StatusDesk:
    """Answers whoever holds a link. For many threads."""

    def __init__(self, deps: Deps, services: Services, renderer: Renderer) -> None:
        self._now = deps.now
        self._services = services
        self._renderer = renderer
        self._callers = {token.name: token for token in deps.api_tokens}

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
            last = ended_at(store, link.incident)
        maker = self._callers.get(link.by)
        if now >= link.expires_at or maker is None or not maker.token_hashes or (last and link.made_at <= last):
            raise ended
        try:
            incident, _ = self._services.api.incidents.home(link.incident)
        except NotFound:
            raise ended from None
        if not incident.is_seen_by(None if maker.role is ApiRole.ADMIN else maker.name):
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
    PageRoute(method="POST", path=_SHARE, role=ApiRole.RESPONDER, handler=_share),
    PageRoute(method="POST", path=f"{_SHARE}/end", role=ApiRole.RESPONDER, handler=_end),
)
