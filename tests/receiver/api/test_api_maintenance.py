"""Maintenance over the API: planned, listed, ended, and refused with the reason."""

from datetime import timedelta

import pytest
from builders import CRITICAL, NOW, ONCALL, rule_set

from incidents import keys
from incidents.commit import commit_of
from incidents.events import FindingHeld
from incidents.maintenance import Hold
from incidents.store.commit import commit_commands
from incidents.store.connection import checked
from incidents.transitions import Context, transition
from incidents.values import Criterion, Severity

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
        ({"until": "9999-12-31T23:59:59-12:00"}, "/until"),
        ({"from": (NOW - timedelta(days=9999)).isoformat()}, "/from"),
        ({"from": "0001-01-01T00:00:00+12:00"}, "/from"),
        ({"from": "9999-12-31T23:58:59-12:00", "until": "9999-12-31T23:59:59-12:00"}, "/from"),
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


@pytest.fixture
def held(links, clock, rules):
    """The id of an incident that a rule declared in the maintenance `upgrade`."""
    event = FindingHeld(
        rule="critical",
        criterion=Criterion.OTHER,
        severity=Severity.SEV2,
        title="Disk full",
        identity={"service": "db"},
        identity_key="k",
        actor="prom",
        reason="",
        ruleset=rules.hash,
        received_at=clock.now,
        holds=(Hold(id="upgrade", start=clock.now, until=clock.now + timedelta(hours=1)),),
    )
    context = Context(oncall=rules.oncall, ruleset=rules.hash, new_id="INC-2026-0001")
    done = transition(None, event, context=context, now=clock.now)
    commit = commit_of("INC-2026-0001", done, clock.now, declared=True)
    with links.borrow() as link:
        checked(link.ask([("MULTI",), *commit_commands(commit), ("EXEC",)]))
    return "INC-2026-0001"


def test_maintenance_says_what_it_holds_and_pages_it_when_ended(api, body, held, links):
    """The list names the incident; ending pages the commander at once, and says so."""

    def due() -> list[bytes]:
        with links.borrow() as link:
            return link.one("ZRANGE", keys.pages_due(), 0, -1)

    api.post("maintenance", body())
    assert api.get("maintenance").json["maintenance"][1]["holds"] == [held]
    assert due() == []
    assert api.call("DELETE", "maintenance/upgrade", who="bo").json["released"] == [held]
    assert [name.decode().rpartition(".")[2] for name in due()] == ["amira"]
    texts = [entry["text"] for entry in api.get(f"incidents/{held}/timeline").json["entries"]]
    assert any("ended by bo" in text for text in texts)


def test_api_maintenance_names_the_weekday_that_there_is_not(api):
    """A word deep inside a body is answered with its place, and with what may stand there."""
    weekly = {"weekdays": ["mon", "tuu"], "from": "02:00", "until": "04:00"}
    answer = api.post("maintenance", {"match": 'service="db"', "weekly": weekly}, who="ada")
    assert (answer.status_code, answer.json["pointer"]) == (422, "/weekly/weekdays/1")
    assert "there is fri, mon" in answer.json["detail"]
    assert "tue" in answer.json["hint"]
