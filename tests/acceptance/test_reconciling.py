"""What a notification did not bring is fetched: Tocsin asks the real Alertmanager what it knows."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from installation import SOURCE, SOURCE_TOKEN
from monitoring import Alertmanager
from programs import eventually

pytestmark = pytest.mark.acceptance

LATER = '{receiver: tocsin, matchers: [service="web"], group_wait: 1h}'


def test_alert_that_was_never_notified_is_found_at_the_start(tocsin, programs, page_sink):
    """An alert that Alertmanager holds back for an hour is found when Tocsin starts, and the timeline says so."""
    alertmanager = Alertmanager(programs, tocsin.webhook, SOURCE_TOKEN)
    text = alertmanager.config.read_text()
    alertmanager.config.write_text(text.replace("repeat_interval: 1h}", f"repeat_interval: 1h, routes: [{LATER}]}}"))
    requests.post(f"{alertmanager.url}/-/reload", timeout=60).raise_for_status()
    tocsin.configure(extra=f'alertmanagers: [{{url: "{alertmanager.url}", source: {SOURCE}}}]')
    serving = tocsin.serve()
    alertmanager.send("db")
    page_sink.expect_page(person="amira", step=1)

    _tell(alertmanager, "web")  # which it notifies of in an hour
    serving.stop()
    tocsin.serve()
    page = page_sink.expect_page(person="amira", step=1)
    assert page["incident"]["identity"] == {"service": "web"}
    notes = eventually(lambda: tocsin.timeline(page["incident"]["id"], "note"), what="the note on the timeline")
    assert "its notification never came" in notes[0]["text"]


def test_alerts_that_a_notification_left_out_are_fetched(tocsin, programs, page_sink):
    """What max_alerts cut off is counted, and asked for at once."""
    alertmanager = Alertmanager(programs, tocsin.webhook, SOURCE_TOKEN, group_by="[alertname]")
    text = alertmanager.config.read_text()
    alertmanager.config.write_text(text.replace("send_resolved: true", "send_resolved: true, max_alerts: 1"))
    requests.post(f"{alertmanager.url}/-/reload", timeout=60).raise_for_status()
    tocsin.configure(extra=f'alertmanagers: [{{url: "{alertmanager.url}", source: {SOURCE}}}]')
    tocsin.serve()

    _tell(alertmanager, "db", "web")
    paged = {page_sink.expect_page(step=1)["incident"]["identity"]["service"] for _ in range(2)}
    assert paged == {"db", "web"}
    assert tocsin.metric("tocsin_alerts_truncated_total", source=SOURCE) >= 1


def _tell(alertmanager: Alertmanager, *services: str) -> None:
    """Tell the Alertmanager of alerts that began ten minutes ago."""
    began = datetime.now(UTC) - timedelta(minutes=10)
    alerts = [
        {
            "labels": {"alertname": "Trouble", "severity": "critical", "service": service},
            "startsAt": began.isoformat(),
            "endsAt": (began + timedelta(hours=1)).isoformat(),
        }
        for service in services
    ]
    requests.post(f"{alertmanager.url}/api/v2/alerts", json=alerts, timeout=60).raise_for_status()
