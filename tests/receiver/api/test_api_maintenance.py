"""Maintenance over the API: planned, listed, ended, and refused with the reason."""

from datetime import timedelta

import pytest
from builders import CRITICAL, NOW, ONCALL, rule_set

FILE = """
maintenance:
- {id: filed, match: 'service="web"', weekly: {weekdays: [mon], from: "01:00", until: "02:00", timezone: UTC}}
"""


@pytest.fixture
def rules():
    return rule_set(CRITICAL + FILE, ONCALL)


@pytest.fixture
def body(clock):
    """An hour from now on; fields by name."""
    until = (clock.now + timedelta(hours=1)).isoformat()
    return lambda **changes: {"id": "upgrade", "match": 'service="db"', "until": until} | changes


def test_maintenance_is_planned_and_listed(api, body, clock):
    """Its author is who called; it says for how long it is in force."""
    made = api.post("maintenance", body(comment="new disks"))
    assert made.status_code == 201
    assert (made.json["author"], made.json["state"], made.json["ends_in"]) == ("amira", "active", 3600)
    listed = {each["id"]: each for each in api.get("maintenance").json["maintenance"]}
    assert {name: each["origin"] for name, each in listed.items()} == {"filed": "rule files", "upgrade": "api"}
    assert listed["filed"]["weekly"] == {"weekdays": ["mon"], "from": "01:00", "until": "02:00", "timezone": "UTC"}
    clock.advance(hours=2)
    assert api.get("maintenance").json["maintenance"][1]["state"] == "over"


def test_maintenance_is_ended(api, body):
    """Ended is gone; a second time there is none."""
    api.post("maintenance", body())
    assert api.call("DELETE", "maintenance/upgrade", who="amira").json == {"id": "upgrade", "released": []}
    assert api.call("DELETE", "maintenance/upgrade", who="amira").status_code == 404
    assert api.call("DELETE", "maintenance/filed", who="amira").status_code == 409
    assert api.call("DELETE", "maintenance/filed", who="val").status_code == 403


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"match": 'env!="prod"'}, "/match"),
        ({"match": "what is it"}, "/match"),
        ({"match": []}, "/match"),
        ({"until": None}, "/until"),
        ({"until": (NOW - timedelta(days=9999)).isoformat()}, "/until"),
        ({"until": (NOW + timedelta(days=9999)).isoformat()}, "/until"),
        ({"from": (NOW - timedelta(days=9999)).isoformat()}, "/from"),
        ({"weekly": {"weekdays": ["sun"], "from": "01:00", "until": "02:00"}}, "/weekly"),
        ({"weekly": {"weekdays": ["sun"], "from": "1", "until": "02:00"}, "until": None}, "/weekly/from"),
        (
            {"weekly": {"weekdays": ["sun"], "from": "01:00", "until": "02:00", "timezone": "Mars"}, "until": None},
            "/weekly/timezone",
        ),
        ({"id": "a b"}, "/id"),
    ],
)
def test_maintenance_is_refused_with_the_field(api, body, changes, pointer):
    """Each refusal names the field, and nothing is kept."""
    refused = api.post("maintenance", body(**changes))
    assert (refused.status_code, refused.json["pointer"]) == (422, pointer)
    assert len(api.get("maintenance").json["maintenance"]) == 1


def test_maintenance_ids_are_taken_once(api, body):
    """Neither that of the files nor of another is taken twice."""
    assert api.post("maintenance", body()).status_code == 201
    assert api.post("maintenance", body()).status_code == 409
    assert api.post("maintenance", body(id="filed")).status_code == 409


def test_maintenance_weekly_without_a_zone_is_warned_of(api, body):
    """It is in UTC, and says so."""
    weekly = {"weekdays": ["sun"], "from": "01:00", "until": "02:00"}
    made = api.post("maintenance", body(until=None, weekly=weekly)).json
    assert made["weekly"]["timezone"] == "UTC"
    assert len(made["warnings"]) == 1
