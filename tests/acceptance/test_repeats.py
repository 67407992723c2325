"""Alertmanager says it again and again, and from two peers: it stays one incident and one page."""

import pytest
from installation import SOURCE_TOKEN
from monitoring import Alertmanager, alertmanager_pair
from programs import eventually

pytestmark = pytest.mark.acceptance


def test_repeats_of_a_notification_page_once(tocsin, serving, programs, page_sink):
    """With a short repeat_interval the same alert comes many times, and is counted as a duplicate."""
    alertmanager = Alertmanager(programs, tocsin.webhook, SOURCE_TOKEN, repeat_interval="1s")
    alertmanager.send("db")
    page = page_sink.expect_page(person="amira")

    eventually(lambda: tocsin.metric("tocsin_webhooks_total", code="202") >= 4, what="four notifications")
    assert tocsin.settled()["duplicate"] >= 3
    assert tocsin.only_incident()["alerts"] == {"firing": 1, "resolved": 0}
    assert len(tocsin.timeline(page["incident"]["id"], "alert_fired")) == 1


def test_repeats_of_a_pair_of_alertmanagers_are_one_incident(tocsin, serving, programs, page_sink):
    """Two peers of a cluster that both deliver make one incident and one page, and both may end it."""
    pair = alertmanager_pair(programs, tocsin.webhook, SOURCE_TOKEN)
    for peer in pair:
        peer.send("db")
    page_sink.expect_page(person="amira")

    for peer in pair:
        eventually(lambda peer=peer: peer.notifications() >= 1, what="a notification of each peer")
    eventually(lambda: tocsin.metric("tocsin_webhooks_total", code="202") >= 2, what="both deliveries")
    assert tocsin.settled()["duplicate"] >= 1
    assert tocsin.only_incident()["alerts"] == {"firing": 1, "resolved": 0}
    for peer in pair:
        peer.send("db", firing=False)
    eventually(lambda: tocsin.only_incident()["alerts"]["resolved"] == 1, what="the end of the alert")
    assert tocsin.only_incident()["alerts"] == {"firing": 0, "resolved": 1}
