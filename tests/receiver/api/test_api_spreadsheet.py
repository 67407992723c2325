"""The list of incidents as CSV: whole, filtered, and without anything that a spreadsheet would compute."""

import csv
import io

import pytest
from msgspec.structs import replace

from incidents import keys
from incidents.store.codec import encode
from receiver.api import spreadsheet
from receiver.api.spreadsheet import COLUMNS, cell


def rows_of(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("https://evil")', "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\uff1d1"]
)
def test_sheet_has_no_formula(api, declare, text):
    """Whatever a title or a service begins with."""
    assert cell(text) == "'" + text
    declare("=cmd|x", title=text.strip())
    (row,) = rows_of(api.get("incidents.csv"))
    assert row["service"] == "'=cmd|x"
    assert row["title"] == "'" + text.strip()


def test_sheet_shows_every_incident_that_is_asked_for(api, declare, monkeypatch):
    """Newest first, over as many pages as it takes; commas, quotes and line ends stay in their cell."""
    monkeypatch.setattr(spreadsheet, "AT_ONCE", 2)
    for number in range(5):
        declare(f"s{number}", severity="SEV1" if number % 2 else "SEV3", title=f'Number {number}, "so" it is')
    rows = rows_of(api.get("incidents.csv"))
    assert [row["id"][-1] for row in rows] == ["5", "4", "3", "2", "1"]
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["title"] == 'Number 4, "so" it is'
    assert (rows[0]["service"], rows[0]["firing"], rows[0]["acknowledged_at"]) == ("s4", "0", "")
    assert [row["severity"] for row in rows_of(api.get("incidents.csv?severity=SEV1"))] == ["SEV1", "SEV1"]
    assert rows_of(api.get("incidents.csv?status=resolved")) == []
    assert api.get("incidents.csv?severity=SEV9").status_code == 400
    answer = api.get("incidents.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="incidents.csv"'


def test_sheet_leaves_out_what_is_not_for_the_caller(api, declare, links):
    """Restricted incidents are in that of an admin alone."""
    incident = declare("vault")
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(replace(incident, restricted=True)))
    assert rows_of(api.get("incidents.csv", who="val")) == []
    assert [row["id"] for row in rows_of(api.get("incidents.csv", who="ada"))] == [incident.id]
