"""Restricted incidents: for who has a role in them, who was paged, and admins; for others they are not there."""

import pytest
from builders import alert
from msgspec.structs import replace

from incidents import keys
from incidents.alert import AlertState, alert_key
from incidents.store.codec import encode

PARTS = (
    "/timeline",
    "/timeline.jsonl",
    "/timeline.md",
    "/picture.svg",
    "/postmortem",
    "/postmortem.md",
    "/postmortem.html",
    "/postmortem/versions",
)
NAMES = {"amira": 200, "ada": 200, "bo": 404, "val": 404}


@pytest.fixture
def restricted(declare, links):
    """An open incident and a restricted one, of which amira is the commander."""
    declare("web")
    incident = declare("vault", title="Somebody looked at payslips")
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(replace(incident, restricted=True)))
    return incident.id


@pytest.mark.parametrize(("who", "status"), NAMES.items())
@pytest.mark.parametrize("path", ["incidents/{}", *(f"incidents/{{}}{part}" for part in PARTS)])
def test_api_restricted_incident_is_not_there_for_others(api, restricted, who, status, path):
    """Neither it nor what belongs to it is shown, in the words of something that does not exist."""
    answer = api.get(path.format(restricted), who=who)
    assert answer.status_code == status
    assert status == 200 or "payslips" not in answer.text


@pytest.mark.parametrize(("who", "status"), NAMES.items())
def test_api_restricted_incident_is_left_out_of_lists(api, restricted, who, status):
    """The list goes on without a gap where the incident would stand."""
    shown = [each["id"] for each in api.get("incidents?limit=1", who=who).json["incidents"]]
    assert (shown == [restricted]) is (status == 200)
    assert len(shown) == 1


def test_api_restricted_incident_cannot_be_changed_by_others(api, restricted):
    """A command about it is answered as one about nothing."""
    assert api.post(f"incidents/{restricted}/acknowledge", who="bo").status_code == 404
    assert api.post(f"incidents/{restricted}/acknowledge", who="amira").status_code == 200


@pytest.mark.parametrize(("who", "status"), NAMES.items())
def test_api_restricted_incident_is_not_named_by_its_alerts(api, restricted, links, now, who, status):
    """Neither in the list of alerts nor where an alert is explained; and nobody else lists the alerts of it."""
    given = alert("Payslips")
    state = AlertState(
        source="prod",
        fingerprint=given.fingerprint,
        status=given.status,
        labels=given.labels,
        annotations={},
        starts_at=now,
        received_at=now,
        incidents=(restricted,),
    )
    with links.borrow() as link:
        link.one("HSET", keys.alerts(), alert_key("prod", given.fingerprint), encode(state))
        link.one("ZADD", keys.alerts_seen(), 1, alert_key("prod", given.fingerprint))
    listed = api.get("alerts", who=who)
    assert (listed.json["alerts"][0]["incidents"] == [restricted]) is (status == 200)
    explained = api.get(f"explain?alert=prod/{given.fingerprint}", who=who)
    assert explained.status_code == 200
    assert (restricted in explained.text) is (restricted in listed.text) is (status == 200)
    assert api.get(f"alerts?incident={restricted}", who=who).status_code == status


def test_api_restricted_incident_is_not_named_where_it_was_declared_already(api, restricted):
    """Whoever declares the same hears that it is declared, and no id unless the incident is for them."""
    same = {"title": "Payslips", "severity": "SEV2", "identity": {"service": "vault"}}
    refused = api.post("incidents", same, who="bo")
    assert refused.status_code == 409
    assert restricted not in refused.text
    assert api.post("incidents", same, who="amira").json["incident"] == restricted
