"""Resolution objectives over the API: what is measured, what people check, and what that comes to."""

import pytest


def check(api, incident, name="verified", *, met=True, **more):
    return api.post(f"incidents/{incident.id}/objectives", {"id": name, "met": met} | more, who="bo")


def test_api_objective_that_is_checked_resolves_what_waits_for_nothing_else(api, held_incident):
    """Who checked it and what was said stand on the timeline, and all being met resolves the incident."""
    before = api.get(f"incidents/{held_incident.id}/objectives").json
    assert before == {
        "objectives": [
            {
                "id": "verified",
                "text": "The data was verified",
                "kind": "manual",
                "met": False,
                "met_at": None,
                "met_by": None,
                "note": "",
                "measured": "",
            }
        ],
        "held": False,
        "next": None,
    }
    refused = api.post(f"incidents/{held_incident.id}/resolve", {})
    assert (refused.status_code, [each["id"] for each in refused.json["objectives"]]) == (409, ["verified"])
    answer = check(api, held_incident, note="checksums agree")
    assert (answer.status_code, answer.json["status"]) == (200, "resolved")
    after = api.get(f"incidents/{held_incident.id}/objectives").json["objectives"][0]
    assert (after["met"], after["met_by"], after["note"]) == (True, "bo", "checksums agree")
    kinds = [entry["kind"] for entry in api.get(f"incidents/{held_incident.id}/timeline").json["entries"]]
    assert kinds[-2:] == ["objective_met", "resolved"]


def test_api_objective_refuses_what_is_none_and_what_is_measured(api, declare, held_incident):
    """The answer names those that people check, and closed incidents take none."""
    refused = check(api, held_incident, "verifed")
    assert (refused.status_code, refused.json["pointer"]) == (422, "/id")
    assert refused.json["hint"] == "People check verified."
    assert check(api, declare("other")).status_code == 422
    check(api, held_incident)
    assert check(api, held_incident, met=False).status_code == 409
    assert api.post(f"incidents/{held_incident.id}/objectives", {"id": "verified"}).status_code == 422
    assert api.get("incidents/INC-2026-0999/objectives").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("val", 403), ("ada", 200)])
def test_api_objective_is_for_responders(api, held_incident, who, status):
    """A viewer reads, and checks nothing."""
    answer = api.post(f"incidents/{held_incident.id}/objectives", {"id": "verified", "met": True}, who=who)
    assert answer.status_code == status
