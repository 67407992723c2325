"""`tocsin maintenance` against a look-alike of the API: what it sends, and what it says."""

import json

import pytest
from api_look_alike import commands_against

MADE = {
    "id": "upgrade",
    "match": 'service="db"',
    "from": "2026-11-02T03:00:00.000Z",
    "until": "2026-11-02T07:00:00.000Z",
    "weekly": None,
    "author": "amira",
    "comment": "disks",
    "origin": "api",
    "state": "active",
    "ends_in": 14400,
    "next_from": None,
    "holds": ["INC-2026-0001"],
    "warnings": [],
}
WEEKLY = {"weekdays": ["sun"], "from": "02:00", "until": "04:00", "timezone": "UTC"}
FILED = MADE | {"id": "sundays", "weekly": WEEKLY, "state": "upcoming", "ends_in": None, "holds": []}
OVER = MADE | {"id": "past", "state": "over", "ends_in": None}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def run(tmp_path, asked):
    """Run a sub-command against an API that takes everything."""
    answers = {
        "GET": {"maintenance": [FILED, MADE, OVER]},
        "POST": MADE,
        "DELETE": {"id": "upgrade", "released": ["INC-2026-0001"]},
    }

    def answer(method, path, body):
        asked.append((method, path, body))
        return answers[method]

    with commands_against(tmp_path, answer, "maintenance") as run:
        yield run


def test_maintenance_add_sends_what_is_given(run, asked):
    """How long is counted from the beginning; the id may be left to the server."""
    done = run("add", "upgrade", "--match", 'service="db"', "--from", "2026-11-02T03:00:00Z", "--for", "4h")
    assert done.exit_code == 0, done.output
    body = {"match": ['service="db"'], "until": "2026-11-02T07:00:00.000Z", "from": "2026-11-02T03:00:00.000Z"}
    assert asked == [("POST", "/api/v1/maintenance", body | {"id": "upgrade"})]
    assert "upgrade: nobody is paged" in done.output
    assert run("add", "--match", 'service="db"').exit_code == 2
    assert run("add", "--match", 'service="db"', "--for", "900000w").exit_code == 2


def test_maintenance_list_shows_when_it_ends(run):
    """What is over is left out; what is in force says for how long, and what it holds."""
    shown = run("list").output
    assert "ends in 4h" in shown
    assert "INC-2026-0001" in shown
    assert "every sun 02:00 to 04:00 UTC" in shown
    assert "past" not in shown
    assert [each["id"] for each in json.loads(run("list", "--output", "json").output)["maintenance"]] == [
        "sundays",
        "upgrade",
    ]


def test_maintenance_end_says_what_is_paged(run, asked):
    """The incidents that it held are named."""
    assert "INC-2026-0001" in run("end", "upgrade").output
    assert asked[0][:2] == ("DELETE", "/api/v1/maintenance/upgrade")
