"""Links to the status page over the API: made, listed, ended; shown once, and audited."""

import pytest

LINKS = "incidents/INC-2026-0001/status_links"


@pytest.fixture(autouse=True)
def incident(declare):
    """An incident to share."""
    return declare("db")


def page_of(client, address):
    return client.get(address.removeprefix("https://tocsin.example"))


def test_status_link_is_made_listed_and_ended(api, app):
    """Its address is in the answer to who made it, and nowhere else."""
    made = api.post(LINKS, {"days": 3})
    assert made.status_code == 201
    assert made.json["by"] == "amira"
    assert page_of(app.test_client(), made.json["address"]).status_code == 200
    listed = api.get(LINKS).json["status_links"]
    assert listed == [made.json | {"address": None}]
    other = api.post(LINKS).json
    ended = api.call("DELETE", f"{LINKS}/{made.json['id']}", who="bo")
    assert (ended.status_code, ended.json["id"]) == (200, made.json["id"])
    assert page_of(app.test_client(), made.json["address"]).status_code == 404
    assert page_of(app.test_client(), other["address"]).status_code == 200
    assert [each["id"] for each in api.call("DELETE", LINKS, who="bo").json["status_links"]] == [other["id"]]
    assert page_of(app.test_client(), other["address"]).status_code == 404
    assert api.get(LINKS).json["status_links"] == []
    actions = [each["action"] for each in api.get("audit", who="ada").json["entries"]]
    assert [each.partition(" ")[0] for each in actions if "status_links" in each] == [
        "DELETE",
        "DELETE",
        "POST",
        "POST",
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"days": 8}, "/days"), ({"days": 0}, "/days"), ({"audience": "nobody"}, "/audience"), ({"day": 1}, "/day")],
)
def test_status_link_that_cannot_be_made_is_told(api, body, pointer):
    """A week at most, for an audience that there is."""
    refused = api.post(LINKS, body)
    assert (refused.status_code, refused.json["pointer"]) == (422, pointer)


def test_status_link_is_made_and_ended_by_responders(api):
    """A viewer sees that it was shared; one that is not there, and one of another incident, are not found."""
    made = api.post(LINKS).json
    assert api.post(LINKS, who="val").status_code == 403
    assert api.call("DELETE", LINKS, who="val").status_code == 403
    assert api.get(LINKS).status_code == 200
    assert api.call("DELETE", f"{LINKS}/nothing", who="bo").status_code == 404
    elsewhere = "incidents/INC-2026-0009/status_links"
    assert api.post(elsewhere).status_code == 404
    assert api.call("DELETE", f"{elsewhere}/{made['id']}", who="bo").status_code == 404


def test_status_links_are_bounded(api, clock):
    """Those that hold, not those that were made."""
    codes = []
    for _ in range(101):
        codes.append(api.post(LINKS).status_code)
        clock.advance(seconds=1)
    assert codes == [201] * 100 + [409]
    clock.advance(days=1)
    assert api.post(LINKS).status_code == 201
    assert len(api.get(LINKS).json["status_links"]) == 1
