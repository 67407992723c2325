"""The list of incidents: what needs somebody comes first, the filters stand in the address."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from flask import Response

from incidents.incident import Incident
from incidents.store.reads import IncidentPage
from incidents.teams import DEFAULT_TEAM
from incidents.values import OPEN_STATUSES, IncidentStatus, Role, Severity
from receiver.api.spreadsheet import AT_ONCE, CSV, sheet
from receiver.auth import ApiRole
from receiver.problems import Problem
from receiver.web.guard import HEADERS
from receiver.web.health import health_of
from receiver.web.route import Page, PageRoute, Redirect, Visit

ROWS = 50
MAX_SEARCH = 200
OPEN, ALL = "open", "all"
LISTS = (OPEN, ALL, *(status.value for status in IncidentStatus))


class Filter(NamedTuple):
    """What a list shows, as its address says."""

    status: str = OPEN
    severity: str = ""
    team: str = ""
    q: str = ""

    @property
    def statuses(self) -> frozenset[IncidentStatus]:
        """The statuses that are shown; none is all of them."""
        if self.status == OPEN:
            return OPEN_STATUSES
        return frozenset() if self.status == ALL else frozenset({IncidentStatus(self.status)})

    @property
    def severities(self) -> frozenset[Severity]:
        """The severities that are shown; none is all of them."""
        return frozenset({Severity(self.severity)}) if self.severity else frozenset()

    @property
    def chosen(self) -> Callable[[Incident], bool] | None:
        """What says of an incident whether it is shown, where more than its status and severity is asked for."""
        return self.lets_through if self.q or self.team else None

    def lets_through(self, incident: Incident) -> bool:
        """Whether an incident is of the team, and holds every word that is searched for."""
        if self.team and incident.team != self.team:
            return False
        text = " ".join(
            (incident.id, incident.title, incident.summary, incident.rule or "", *incident.identity.values())
        )
        return all(word in text.casefold() for word in self.words)

    @property
    def words(self) -> list[str]:
        """The words that are searched for, folded."""
        return self.q.casefold().split()

    @property
    def needed(self) -> list[str]:
        """The words, folded, without which no incident is shown."""
        # The default team stands in none that an early version wrote.
        return [*self.words, self.team.casefold()] if self.team not in {"", DEFAULT_TEAM} else self.words

    def address(self, **changed: str) -> str:
        """Return the address of this list, or of one that differs."""
        asked = {**self._asdict(), **changed}
        plain = {name: text for name, text in asked.items() if text and (name, text) != ("status", OPEN)}
        return "/incidents" + (f"?{urlencode(plain)}" if plain else "")

    @property
    def sheet(self) -> str:
        """The address of this list as CSV."""
        return self.address().replace("/incidents", "/incidents.csv", 1)


class OnDuty(NamedTuple):
    """Who holds a role now, and until when."""

    role: str
    person: str | None
    until: datetime | None


def _list(visit: Visit) -> Page | Redirect:
    asked = _filter(visit.query)
    after = visit.query.get("after", "")
    page = _open_ones(visit, asked, after) if asked.status == OPEN else _read(visit, asked, ROWS, after)
    waiting = sum(row.incident.status is IncidentStatus.DECLARED for row in page.incidents)
    values = {
        "asked": asked,
        "plain": Filter(),
        "lists": LISTS,
        "severities": tuple(Severity),
        "teams": (DEFAULT_TEAM, *visit.services.api.rule_set().oncall.teams),
        "rows": page.incidents,
        "waiting": waiting,
        "more": asked.address(after=page.next) if page.next else "",
        "health": health_of(visit),
        "duty": list(_on_duty(visit, asked.team)),
    }
    return Page("overview.html", values)


def _open_ones(visit: Visit, asked: Filter, after: str) -> IncidentPage:
    """Return a page of the open incidents in the order in which they need somebody."""
    return visit.services.reads.urgent(
        severities=asked.severities,
        after=after,
        limit=ROWS,
        reader=visit.reader,
        chosen=asked.chosen,
        words=asked.needed,
    )


def _read(visit: Visit, asked: Filter, limit: int, after: str) -> IncidentPage:
    return visit.services.reads.incidents(
        statuses=asked.statuses,
        severities=asked.severities,
        after=after,
        limit=limit,
        reader=visit.reader,
        chosen=asked.chosen,
        words=asked.needed,
    )


def _filter(query: Mapping[str, str]) -> Filter:
    """Return the filter in an address; raises `Problem` 400 for a word that does not exist."""
    asked = Filter(
        status=query.get("status") or OPEN,
        severity=query.get("severity", ""),
        team=query.get("team", ""),
        q=query.get("q", "")[:MAX_SEARCH].strip(),
    )
    _check("status", asked.status, LISTS)
    _check("severity", asked.severity, ("", *Severity))
    return asked


def _check(name: str, text: str, known: Iterable[str]) -> None:
    if text not in set(known):
        raise Problem(400, f"{name}={text[:64]!r} does not exist.", hint=f"There is {', '.join(filter(None, known))}.")


def _on_duty(visit: Visit, team: str) -> Iterable[OnDuty]:
    known = {DEFAULT_TEAM, *visit.services.api.rule_set().oncall.teams}
    held = visit.ask("/oncall", team=team if team in known else "")
    for role in Role:
        person, until = held[role.value]["person"], held[role.value]["until"]
        if person or role is Role.INCIDENT_COMMANDER:
            yield OnDuty(role.value, person, datetime.fromisoformat(until) if until else None)


def _sheet(visit: Visit) -> Response:
    """Answer with what the list shows, and all that follows it, as CSV."""
    asked = _filter(visit.query)
    first = _read(visit, asked, AT_ONCE, "")
    pieces = sheet(lambda after, limit: _read(visit, asked, limit, after) if after else first)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="incidents.csv"'}
    return Response(pieces, headers=headers, content_type=CSV)


ROUTES = (
    PageRoute(method="GET", path="/incidents", role=ApiRole.VIEWER, handler=_list),
    PageRoute(method="GET", path="/incidents.csv", role=ApiRole.VIEWER, handler=_sheet),
)
