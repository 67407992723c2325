"""Who is on call over the API, by team."""

from datetime import timedelta

import pytest
from builders import CRITICAL, ONCALL, rule_set

from incidents.presentation import instant

TEAM = "teams: {shop: {match: 'service=\"shop\"', roles: {incident_commander: {rotation: keepers}}}}\n"


@pytest.fixture
def rules():
    return rule_set(CRITICAL, TEAM + ONCALL.replace("rotations:\n", "rotations:\n  keepers: {order: [bo]}\n"))


def test_oncall_answers_for_a_team(api):
    """The roles of a team are those of its own rotations; an unknown team is refused with those that there are."""
    assert api.get("oncall").json["incident_commander"]["person"] == "amira"
    assert api.get("oncall?team=shop").json["incident_commander"]["person"] == "bo"
    refused = api.get("oncall?team=shp")
    assert refused.status_code == 400
    assert "default, shop" in refused.json["detail"]


def test_declaring_by_hand_finds_the_team(api):
    """The identity says whose incident it is."""
    shop = api.post("incidents", {"title": "Till", "severity": "SEV3", "identity": {"service": "shop"}}).json
    other = api.post("incidents", {"title": "Disk", "severity": "SEV3", "identity": {"service": "db"}}).json
    assert (shop["team"], shop["roles"]["incident_commander"]) == ("shop", "bo")
    assert (other["team"], other["roles"]["incident_commander"]) == ("default", "amira")


def test_oncall_answers_for_another_instant(api, clock):
    """A week later it is the next in turn; what is no instant is refused."""
    later = instant(clock.now + timedelta(weeks=1))
    assert [api.get(f"oncall{query}").json["incident_commander"]["person"] for query in ("", f"?at={later}")] == [
        "amira",
        "bo",
    ]
    for bad in ("soon", "2026-01-05", "0001-01-01T00:00:00Z"):
        assert api.get(f"oncall?at={bad}").status_code == 400


def test_oncall_shifts_are_the_plan_in_force(api, clock):
    """Of one rotation or of all, for four weeks or as asked."""
    listed = api.get("oncall/shifts").json["rotations"]
    assert [plan["rotation"] for plan in listed] == ["keepers", "commanders"]
    assert {shift["person"] for shift in listed[0]["shifts"]} == {"bo"}
    until = instant(clock.now + timedelta(weeks=2))
    (plan,) = api.get(f"oncall/shifts?until={until}&rotation=commanders").json["rotations"]
    assert [shift["person"] for shift in plan["shifts"]][:2] == ["amira", "bo"]
    assert plan["shifts"][0].keys() == {"person", "name", "from", "until", "override"}


@pytest.mark.parametrize(
    "query", ["rotation=comanders", "from=2026-01-06T00:00Z&until=2026-01-05T00:00Z", "until=2028-01-05T00:00Z"]
)
def test_oncall_shifts_refuse_what_cannot_be(api, query):
    """An unknown rotation, an end before the beginning, years at once."""
    assert api.get(f"oncall/shifts?{query}").status_code == 400
