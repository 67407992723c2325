"""Who is on call over the API, by team."""

import pytest
from builders import CRITICAL, ONCALL, rule_set

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
