"""The main job on real input: a metric gets bad, and the commander is paged; the record tells the story."""

import re

import pytest
import requests
from installation import ADMIN_TOKEN
from monitoring import Prometheus, check_metrics
from programs import eventually

from incidents import keys

pytestmark = pytest.mark.acceptance


def test_firing_to_paged_from_the_metric_to_the_commander(tocsin, serving, exporter, alertmanager, programs, page_sink):
    """A bad metric pages the commander; timeline, store and /metrics tell it, and acknowledging ends the paging."""
    Prometheus(programs, exporter, [alertmanager])
    assert tocsin.incidents() == []

    exporter.set("db", 1)
    page = page_sink.expect_page(person="amira", role="incident_commander", reason="declared", step=1)

    incident = tocsin.only_incident()
    assert page["incident"]["id"] == incident["id"]
    assert (page["attempt"], page["repeat"]) == (1, False)
    assert (incident["status"], incident["severity"], incident["rule"]) == ("declared", "SEV2", "critical")
    assert incident["identity"] == {"service": "db"}
    assert incident["alerts"] == {"firing": 1, "resolved": 0}
    assert incident["roles"]["incident_commander"] == "amira"

    _acknowledge_on_the_web(tocsin, incident["id"])
    assert tocsin.only_incident()["status"] == "acknowledged"
    _check_timeline(tocsin, incident["id"])
    _check_metrics(tocsin, programs)


def _acknowledge_on_the_web(tocsin, incident):
    """Sign in, find it on the list, press the button; every answer may come from another process."""
    with requests.Session() as browser:

        def hidden(page, name):
            return re.search(rf'name="{name}" value="([^"]*)"', page.text)[1]

        door = browser.get(f"{tocsin.url}/incidents", timeout=60)
        assert door.url.startswith(f"{tocsin.url}/sign-in")
        form = {"token": ADMIN_TOKEN, "knock": hidden(door, "knock"), "next": hidden(door, "next")}
        listed = browser.post(f"{tocsin.url}/sign-in", data=form, timeout=60)
        assert f'href="/incidents/{incident}"' in listed.text
        path = f"{tocsin.url}/incidents/{incident}"
        shown = browser.get(path, timeout=60)
        assert "not acknowledged" in shown.text
        assert "<strong>bo</strong>" in shown.text  # who is paged next
        done = browser.post(f"{path}/acknowledge", data={"csrf": hidden(shown, "csrf")}, timeout=60)
        assert (done.status_code, done.url) == (200, path)
        assert "Acknowledged: you are on it" in done.text


def _check_timeline(tocsin, incident):
    entries = eventually(
        lambda: tocsin.timeline(incident) if len(tocsin.timeline(incident)) >= 5 else None, what="five entries"
    )
    kinds = [entry["kind"] for entry in entries]
    assert sorted(kinds) == ["acknowledged", "alert_fired", "incident_declared", "page_sent", "role_assigned"]
    assert kinds.index("incident_declared") < kinds.index("page_sent") < kinds.index("acknowledged")
    told = {entry["kind"]: entry for entry in entries}
    assert told["alert_fired"]["actor"] == "am"
    assert "db is in trouble (1)" in told["alert_fired"]["text"]
    assert told["acknowledged"]["actor"] == "ops"
    assert told["page_sent"]["data"]["person"] == "amira"
    # The timeline is a Redis Stream whose ids are those of the API.
    link = tocsin.link()
    assert [row[0].decode() for row in link.one("XRANGE", keys.timeline(incident), "-", "+")] == [
        entry["id"] for entry in entries
    ]
    link.drop()


def _check_metrics(tocsin, programs):
    tocsin.settled()
    assert check_metrics(tocsin.exposition(), programs) == ""
    assert tocsin.metric("tocsin_alerts_received_total", source="am", status="firing") >= 1
    assert tocsin.metric("tocsin_webhooks_total", source="am", code="202") >= 1
    assert tocsin.metric("tocsin_incidents_declared_total", rule="critical", severity="SEV2") == 1
    assert tocsin.metric("tocsin_incidents_open", severity="SEV2", status="acknowledged") == 1
    assert tocsin.metric("tocsin_incidents_open") == 1
    assert tocsin.metric("tocsin_pages_total", channel="webhook", outcome="accepted") == 1
    assert tocsin.metric("tocsin_incident_time_to_acknowledge_seconds_count", severity="SEV2") == 1
    assert tocsin.metric("tocsin_store_up") == tocsin.metric("tocsin_store_durable") == 1
