"""Overrides over the API: made, in force at once, listed, ended, and refused with the reason."""

from datetime import timedelta

import msgspec
import pytest
from builders import source_files

from incidents import keys
from incidents.store.codec import decode_page
from incidents.store.incidents import Incidents
from incidents.store.rulesets import RuleSets
from rules.loading.rule_set import load_rule_set
from tocsin.rulebook import RuleBook

ROTA = """
people: {amira: {channels: [console]}, bo: {channels: [console]}, cleo: {channels: [console]}}
rotations: {commanders: {handoff: {every: 1w, starting: 2026-01-05}, order: [amira, bo]}}
roles: {incident_commander: {rotation: commanders}}
"""


@pytest.fixture
def book(links):
    return RuleBook(RuleSets(links))


def publish(links, text, now):
    files = source_files(text)
    rule_set = load_rule_set(files, now=now).rule_set
    RuleSets(links).publish(rule_set.hash, [(file.name, file.text) for file in files], now)
    return rule_set.hash


@pytest.fixture
def api(make_api, deps, links, clock, book):
    """The API over the rules as the store has them."""
    publish(links, ROTA, clock.now)
    parts = {"rule_set": book.current, "rule_set_of": book.rule_set, "incidents": Incidents(links, book.oncall)}
    return make_api(api=msgspec.structs.replace(deps.api, **parts))


@pytest.fixture
def body(clock):
    """An override from now on for an hour; fields by name."""
    return lambda **changes: (
        {
            "rotation": "commanders",
            "person": "bo",
            "until": (clock.now + timedelta(hours=1)).isoformat(),
        }
        | changes
    )


def commander(api):
    return api.get("oncall").json["incident_commander"]["person"]


def told(links):
    """Return what is told to whom since the last look."""
    with links.borrow() as link:
        names = [name.decode() for name in link.one("ZRANGE", keys.pages_due(), 0, -1)]
        pages = [decode_page(link.one("HGET", keys.page(name), "page")) for name in names]
        link.one("DEL", keys.pages_due())
    return {page.person: page.text for page in pages if page.over}


def test_override_is_told_to_whom_it_puts_on_call_and_takes_off(api, links, body):
    """When it is made and when it ends; but not to who did it."""
    made = api.post("oncall/overrides", body(note="swap")).json
    texts = told(links)
    text = f"bo holds the rotation commanders until 2026-01-05 10:00 UTC in place of amira, says {made['by']}: swap"
    assert texts == {person: text for person in ("bo", "amira") if person != made["by"]} != {}
    api.call("DELETE", f"oncall/overrides/{made['id']}", who="bo")
    assert told(links) == {
        "amira": "bo no longer holds the rotation commanders until 2026-01-05 10:00 UTC, says bo; amira does again"
    }


def test_override_is_in_force_at_once(api, body, clock):
    """Who is on call changes with the answer, and changes back when it is over."""
    assert commander(api) == "amira"
    made = api.post("oncall/overrides", body(note="swap"))
    assert made.status_code == 201
    assert (made.json["by"], made.json["state"], made.json["note"]) == ("amira", "active", "swap")
    assert commander(api) == "bo"
    clock.advance(hours=1)
    assert commander(api) == "amira"
    assert [each["state"] for each in api.get("oncall/overrides").json["overrides"]] == ["over"]


def test_override_assigns_incidents(api, body):
    """Whoever stands in is the commander of what is declared."""
    api.post("oncall/overrides", body())
    declared = api.post("incidents", {"title": "It is broken", "severity": "SEV2"}).json
    assert declared["roles"]["incident_commander"] == "bo"


def test_override_made_later_takes_precedence(api, body):
    """A swap within a swap: the later one holds, and names what it lies over."""
    first = api.post("oncall/overrides", body()).json
    second = api.post("oncall/overrides", body(person="cleo")).json
    assert second["overlaps"] == [first["id"]]
    assert commander(api) == "cleo"
    assert api.call("DELETE", f"oncall/overrides/{second['id']}", who="bo").status_code == 200
    assert commander(api) == "bo"


def test_override_is_ended_and_history_stays(api, body, clock):
    """One that has begun ends now and stays in the list; one that has not is gone; a second time is 409 or 404."""
    name = api.post("oncall/overrides", body()).json["id"]
    clock.advance(minutes=5)
    ended = api.call("DELETE", f"oncall/overrides/{name}", who="bo")
    assert (ended.status_code, ended.json["state"]) == (200, "over")
    assert commander(api) == "amira"
    assert api.get("oncall/overrides").json["overrides"][0]["until"] == "2026-01-05T09:05:00.000Z"
    clock.advance(minutes=1)
    assert api.call("DELETE", f"oncall/overrides/{name}", who="bo").status_code == 409
    later = {"from": (clock.now + timedelta(minutes=30)).isoformat()}
    other = api.post("oncall/overrides", body(**later)).json
    assert other["state"] == "upcoming"
    assert api.call("DELETE", f"oncall/overrides/{other['id']}", who="bo").status_code == 200
    assert api.call("DELETE", f"oncall/overrides/{other['id']}", who="bo").status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"rotation": "comanders"}, "/rotation", "did you mean 'commanders'?"),
        ({"person": "amirra"}, "/person", "did you mean 'amira'?"),
        ({"until": "2026-01-05T08:00:00Z"}, "/until", "in the past"),
        ({"from": "2026-01-05T08:00:00Z"}, "/from", "in the past"),
        ({"from": "2026-01-05T12:00:00Z"}, "/until", "before it begins"),
        ({"until": "2028-01-05T12:00:00Z"}, "/until", "366 days"),
        ({"until": "2026-01-05T12:00:00"}, "/until", "timezone"),
        ({"until": "9999-12-31T23:59:59-12:00"}, "/until", "366 days"),
        ({"from": "9999-12-31T23:58:59-12:00", "until": "9999-12-31T23:59:59-12:00"}, "/from", "ahead"),
        ({"from": "0001-01-01T00:00:00+12:00"}, "/from", "in the past"),
    ],
)
def test_override_that_cannot_be_is_refused(api, body, changes, pointer, said):
    """422 with the place and what to do; nothing changes."""
    refused = api.post("oncall/overrides", body(**changes))
    assert (refused.status_code, refused.json["pointer"]) == (422, pointer)
    assert said in refused.json["detail"] + refused.json.get("hint", "")
    assert api.get("oncall/overrides").json["overrides"] == []


def test_override_needs_a_responder(api, body):
    """Viewers look, and change nothing."""
    assert api.post("oncall/overrides", body(), who="val").status_code == 403
    assert api.get("oncall/overrides").status_code == 200


def test_override_survives_a_reload(api, body, links, clock):
    """New rule files keep what people made; where a person is gone from them, it is not in force, and says so."""
    api.post("oncall/overrides", body(person="cleo"))
    publish(links, ROTA.replace("order: [amira, bo]", "order: [bo, amira]"), clock.now)
    assert commander(api) == "cleo"
    name = publish(links, ROTA.replace(", cleo: {channels: [console]}", ""), clock.now)
    assert commander(api) == "amira"
    assert api.get("oncall/overrides").json["overrides"][0]["state"] == "unknown"
    assert api.get("rules").json["hash"] == name
