"""Telling audiences over real channels: what arrives there, and what the timeline says of it."""

from datetime import timedelta

from desk import Desk
from page_sink import PageSink
from programs import eventually

from incidents.events import Communicated
from incidents.store.connection import Links

ONCALL = """
channels:
  page: {webhook: {url: "%s"}}
audiences: {customers: [page], staff: {channels: [page]}}
"""


def test_communication_arrives_and_is_noted(store_url: str, links: Links, page_sink: PageSink):
    """Customers get the text and the id alone, staff the incident; a failed attempt is noted and tried again."""
    desk = Desk(store_url, links, ONCALL % page_sink.url_for("/page"))
    incident = desk.declare()

    def tell(audience: str, text: str) -> None:
        told = Communicated(actor="bo", audience=audience, text=text, send=True)
        desk.incidents.apply(incident.id, told, now=desk.now)

    def delivered() -> list[bool]:
        desk.now += timedelta(seconds=10)  # until the next try
        desk.work()
        return [entry.data["delivered"] for entry in desk.timeline(incident.id) if "delivered" in entry.data]

    tell("customers", "We are on it")
    page_sink.script(500, path="/page")
    eventually(lambda: delivered() == [False, True])
    arrived = page_sink.expect_message(type="announcement", path="/page")
    assert (arrived["text"], arrived["incident"], arrived["incident_url"]) == ("We are on it", {"id": incident.id}, "")
    assert "The audience customers was told over page (webhook)" in [entry.text for entry in desk.timeline(incident.id)]
    tell("staff", "Hello")
    eventually(lambda: delivered() == [False, True, True])
    arrived = page_sink.expect_message(type="announcement", path="/page")
    assert (arrived["incident"]["title"], arrived["text"]) == ("Down", f"{incident.id} (SEV1) Down: Hello")
