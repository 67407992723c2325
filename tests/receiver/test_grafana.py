"""Grafana's webhook contact point: its token, its signature with and without a time, and its extra fields."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

URL = "/webhooks/grafana"
BEARER = {"Authorization": "Bearer grafana-token"}
NOW = int(datetime(2026, 11, 2, 3, 0, tzinfo=UTC).timestamp())


def alert(**replaced):
    fields = {
        "status": "firing",
        "labels": {"alertname": "High latency", "grafana_folder": "Orders"},
        "annotations": {"summary": "Latency is high"},
        "startsAt": "2026-11-02T02:58:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://grafana.example/alerting/x/view?orgId=1",
        "fingerprint": "a1b2c3d4e5f60718",
        "silenceURL": "https://grafana.example/silence",
        "dashboardURL": "https://grafana.example/d/x",
        "panelURL": "https://grafana.example/d/x?viewPanel=1",
        "values": {"A": 2.5, "B": None},
        "valueString": "[ var='A' value=2.5 ]",
        "orgId": 1,
    }
    return {name: value for name, value in (fields | replaced).items() if value is not ...}


def body(*alerts, **replaced):
    fields = {
        "receiver": "on call",
        "status": "firing",
        "orgId": 1,
        "alerts": list(alerts),
        "groupKey": "{}",
        "version": "1",
    }
    return json.dumps(fields | {"truncatedAlerts": 0, "title": "[FIRING:1]", "state": "alerting"} | replaced).encode()


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_grafana_alert_keeps_its_fingerprint_and_its_links(client, intake, record, method):
    """Grafana's fingerprint is made of labels that it does not send."""
    answer = client.open(URL, method=method, data=body(alert()), headers=BEARER, content_type="application/json")
    assert (answer.status_code, record.seen) == (202, [("graf", 202)])
    found = intake.alerts[0]
    assert found.fingerprint == "a1b2c3d4e5f60718"
    assert found.annotations == {
        "summary": "Latency is high",
        "silence_url": "https://grafana.example/silence",
        "dashboard_url": "https://grafana.example/d/x",
        "panel_url": "https://grafana.example/d/x?viewPanel=1",
        "value_string": "[ var='A' value=2.5 ]",
        "values": '{"A":2.5,"B":null}',
    }


def test_grafana_bare_alert_and_bad_one(client, intake):
    """Extras may be missing or null; a bad alert does not spoil its batch; what the user annotated goes first."""
    own = alert(annotations={"dashboard_url": "mine"}, values=None, silenceURL=None)
    bare = {"status": "resolved", "labels": {"alertname": "x"}}
    answer = client.post(URL, data=body(own, alert(status="ok"), bare, 5, truncatedAlerts=2), headers=BEARER)
    assert (answer.json["accepted"], answer.json["quarantined"], intake.truncated) == (2, 2, 2)
    assert intake.alerts[0].annotations["dashboard_url"] == "mine"
    assert intake.alerts[1].annotations == {}


def test_grafana_long_extras_are_cut(client, intake):
    """Values are as many as a query has."""
    client.post(URL, data=body(alert(values={f"V{index}": 1 for index in range(9000)})), headers=BEARER)
    assert len(intake.alerts[0].annotations["values"]) == 16384
    assert "tocsin_truncated" in intake.alerts[0].annotations


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"ruleName": "x", "state": "alerting"}', b"{", b"free text"])
def test_grafana_other_bodies_are_400_with_a_hint(client, content):
    """A legacy body, or a payload of the user's own."""
    answer = client.post(URL, data=content, headers=BEARER)
    assert answer.status_code == 400


def sign(content, stamp=None, secret=b"grafana-secret"):
    signed = content if stamp is None else f"{stamp}:".encode() + content
    headers = {"X-Grafana-Alerting-Signature": hmac.new(secret, signed, hashlib.sha256).hexdigest()}
    return headers if stamp is None else headers | {"X-Grafana-Alerting-Timestamp": str(stamp)}


@pytest.mark.parametrize("stamp", [None, NOW, NOW - 299, NOW + 299])
def test_grafana_signature_is_enough(client, intake, stamp):
    """With a time in it, and without."""
    assert client.post(URL, data=body(alert()), headers=sign(body(alert()), stamp)).status_code == 202
    assert intake.sources == ["graf"]


GOOD = sign(body(alert()), NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        sign(body(alert()), NOW - 301),
        sign(body(alert()), NOW + 301),
        GOOD | {"X-Grafana-Alerting-Timestamp": str(NOW + 1)},
        GOOD | {"X-Grafana-Alerting-Timestamp": ""},
        GOOD | {"X-Grafana-Alerting-Timestamp": "soon"},
        GOOD | {"X-Grafana-Alerting-Timestamp": "9" * 400},
        {"X-Grafana-Alerting-Signature": GOOD["X-Grafana-Alerting-Signature"]},
        sign(body(alert()), None, b"wrong"),
        sign(body(alert()) + b" "),
        {"X-Grafana-Alerting-Signature": ""},
        {"X-Grafana-Alerting-Signature": "zz"},
        {"Authorization": "Bearer source-token"},
        {"Authorization": "Bearer prometheus-token"},
    ],
)
def test_grafana_without_a_credential_is_401(client, intake, headers):
    """A signed time that was taken away or is old does not hold."""
    assert client.post(URL, data=body(alert()), headers=headers).status_code == 401
    assert intake.sources == []
