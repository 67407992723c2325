"""The list of incidents as CSV, for spreadsheets; sent while it is read, however many there are.

Titles come from senders, and a spreadsheet computes whatever begins like a formula: such a cell begins with an
apostrophe instead.
"""

import csv
from collections.abc import Callable, Iterator
from io import StringIO

from incidents.incident import Incident
from incidents.presentation import instant
from incidents.store.reads import Counted, IncidentPage
from receiver.api.incidents import SEVERITY, STATUS, page_of
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole

CSV = "text/csv; charset=utf-8"
COLUMNS = (
    *("id", "severity", "status", "title", "service", "team", "incident_commander", "rule", "criterion"),
    *("declared_at", "acknowledged_at", "mitigated_at", "resolved_at", "firing", "resolved", "summary"),
)
AT_ONCE = 500
_COMPUTED = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last as in Japanese text


def cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_COMPUTED) else text


def sheet(read: Callable[[str, int], IncidentPage]) -> Iterator[bytes]:
    """Yield a sheet in pieces; `read` returns the incidents after a cursor, so many at once."""
    yield _lines([COLUMNS])
    after: str | None = ""
    while after is not None:
        page = read(after, AT_ONCE)
        yield _lines([_row(each) for each in page.incidents])
        after = page.next


def _row(counted: Counted) -> tuple[str, ...]:
    incident, alerts = counted
    return (
        incident.id,
        incident.severity.value,
        incident.status.value,
        incident.title,
        _service(incident),
        incident.team,
        incident.roles.incident_commander or "",
        incident.rule or "",
        incident.criterion.value,
        instant(incident.declared_at) or "",
        instant(incident.acknowledged_at) or "",
        instant(incident.mitigated_at) or "",
        instant(incident.resolved_at) or "",
        str(alerts.firing),
        str(alerts.resolved),
        incident.summary,
    )


def _service(incident: Incident) -> str:
    return incident.identity.get("service") or ", ".join(incident.identity.values())


def _lines(rows: list[tuple[str, ...]]) -> bytes:
    written = StringIO()
    csv.writer(written).writerows([[cell(text) for text in row] for row in rows])
    return written.getvalue().encode("utf-8", "replace")


def _sheet(services: Services, call: Call) -> Reply:
    first = page_of(services, call, "", AT_ONCE)  # what is wrong with the question is told before anything is sent

    def read(after: str, limit: int) -> IncidentPage:
        return page_of(services, call, after, limit) if after else first

    return Reply(sheet(read), {"Content-Disposition": 'attachment; filename="incidents.csv"'})


ROUTES = (
    Route(
        method="GET",
        path="/incidents.csv",
        role=ApiRole.VIEWER,
        summary="Export the list of incidents as CSV, newest first",
        handler=_sheet,
        answer=bytes,
        media_type=CSV,
        query=(STATUS, SEVERITY),
    ),
)
