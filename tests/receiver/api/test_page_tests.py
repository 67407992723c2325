"""Test pages over the API and by their link."""

import pytest
from builders import rule_set

from incidents.links import link_for, seal
from incidents.store.links import signing_key


@pytest.fixture
def rules():
    return rule_set(oncall="people: {amira: {channels: [console]}, bo: {}}\nchannels: {print: console}")


def test_page_test_is_sent_and_shown(api):
    """202 with its id, under which it is shown."""
    sent = api.post("people/amira/page_tests", {})
    assert sent.status_code == 202
    shown = api.get(f"page_tests/{sent.json['id']}").json
    assert (shown["person"], shown["by"], shown["delivered_at"], shown["over"]) == ("amira", "amira", None, False)
    assert api.post("people/channel:print/page_tests", {}).status_code == 202


def test_page_test_needs_somebody_who_can_be_reached(api):
    """Nobody of that name, nobody with a channel, and not for viewers."""
    assert api.post("people/nobody/page_tests", {}).status_code == 404
    assert "no channel" in api.post("people/bo/page_tests", {}).json["detail"]
    assert api.post("people/amira/page_tests", {}, who="val").status_code == 403
    assert api.get("page_tests/TEST-0").status_code == 404


def test_page_test_is_acknowledged_by_its_link(api, app, links, clock):
    """As every page: looking changes nothing, the button does."""
    name = api.post("people/amira/page_tests", {}).json["id"]
    with links.borrow() as link:
        path = "/ack/" + seal(link_for("amira", f"{name}.amira", [name], clock.now), signing_key(link))
    client = app.test_client()
    assert "<form" in client.get(path, headers={"Accept": "text/html"}).text
    assert client.post(path).json["acknowledged"] == [name]
    assert "used by amira" in client.post(path).json["told"]
    assert api.get(f"page_tests/{name}").json["acknowledged_by"] == "amira"
