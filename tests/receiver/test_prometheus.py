"""What Prometheus posts to its Alertmanager: firing until it ends, answered as an Alertmanager answers."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from incidents.alert import fingerprint_of
from incidents.errors import StoreUnavailable
from incidents.values import AlertStatus

URL = "/api/v2/alerts"
BEARER = {"Authorization": "Bearer prometheus-token"}
NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)  # what the clock of the fixture says


def alert(**replaced):
    fields = {
        "labels": {"alertname": "Trouble", "service": "db"},
        "annotations": {"summary": "db is in trouble"},
        "startsAt": "2026-11-02T02:50:00.123Z",
        "endsAt": "2026-11-02T03:04:00.123Z",
        "generatorURL": "http://prometheus.example/graph",
    }
    return {name: value for name, value in (fields | replaced).items() if value is not ...}


def post(client, *alerts, **headers):
    return client.post(URL, data=json.dumps(list(alerts)), headers=BEARER | headers, content_type="application/json")


def test_prometheus_alert_fires_until_it_ends(client, intake, record):
    """200 and an empty body is what an Alertmanager answers."""
    answer = post(client, alert())
    assert (answer.status_code, answer.data) == (200, b"")
    assert (intake.sources, record.seen) == (["prom"], [("prom", 200)])
    found = intake.alerts[0]
    assert (found.status, found.ends_at) == (AlertStatus.FIRING, None)
    assert found.expires_at == NOW + timedelta(minutes=4, milliseconds=123)
    assert found.fingerprint == fingerprint_of(found.labels)


def test_prometheus_alert_whose_end_has_passed_is_resolved(client, intake):
    """There is no status in it."""
    post(client, alert(endsAt="2026-11-02T03:00:00Z"))
    found = intake.alerts[0]
    assert (found.status, found.ends_at, found.expires_at) == (AlertStatus.RESOLVED, NOW, None)


@pytest.mark.parametrize(
    ("starts", "ends", "status", "starts_at", "expires_at"),
    [
        (..., ..., "firing", NOW, NOW + timedelta(minutes=5)),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "firing", NOW, NOW + timedelta(minutes=5)),
        (..., "2026-11-02T02:00:00Z", "resolved", NOW - timedelta(hours=1), None),
        (..., "2026-11-02T04:00:00Z", "firing", NOW, NOW + timedelta(hours=1)),
        ("2026-11-02T04:00:00Z", ..., "firing", NOW + timedelta(hours=1), NOW + timedelta(hours=1)),
        ("2026-11-02T02:50:00", "2026-11-02T05:00:00+02:00", "resolved", NOW - timedelta(minutes=10), None),
        (None, None, "firing", NOW, NOW + timedelta(minutes=5)),
    ],
)
def test_prometheus_missing_times_are_filled_in(client, intake, starts, ends, status, starts_at, expires_at):
    """As Alertmanager does, with its default of five minutes."""
    assert post(client, alert(startsAt=starts, endsAt=ends)).status_code == 200
    found = intake.alerts[0]
    assert (found.status, found.starts_at, found.expires_at) == (status, starts_at, expires_at)


def test_prometheus_fingerprint_is_of_the_labels_alone(client, intake):
    """Nobody can claim the fingerprint of another alert."""
    post(client, alert(fingerprint="c5a1f1d2e3b4a596"))
    post(client, alert(fingerprint="c5a1f1d2e3b4a596", annotations={"n": 5}))
    assert {each.fingerprint for each in intake.alerts} == {fingerprint_of(intake.alerts[0].labels)}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (alert(labels={}), "/1/labels"),
        (alert(labels={"a": ""}), "/1/labels"),
        (alert(labels={"a": 1}), "/1/labels/a"),
        (alert(labels=...), "/1/labels"),
        (alert(startsAt="2026-02-30T00:00:00Z"), "/1/startsAt"),
        (alert(endsAt="2026-11-02T01:00:00Z"), "/1/endsAt: is before startsAt"),
        (7, "/1: an alert must be an object"),
        (None, "/1"),
    ],
)
def test_prometheus_bad_alert_among_good_is_400_after_they_are_stored(client, intake, bad, reason):
    """The answer is a JSON string; the good ones cost nothing, the bad one is kept aside."""
    answer = post(client, alert(), bad, alert(labels={"alertname": "Other"}))
    assert answer.status_code == 400
    assert answer.json.startswith(reason)
    assert len(intake.alerts) == 2
    assert intake.refused[0].reason == answer.json


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b'"x"', b"[", b"[{]", b"\xff", b"[NaN]", b"[" * 100_000, b'{"alerts": []}']
)
def test_prometheus_body_that_is_no_list_is_400(client, intake, body):
    """With the code and the message of an Alertmanager."""
    answer = client.post(URL, data=body, headers=BEARER, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (400, 400)
    assert intake.sources == []


def test_prometheus_empty_list_is_good(client):
    """It says nothing."""
    assert post(client).status_code == 200


def test_prometheus_other_media_type_is_415(client):
    """As an Alertmanager does."""
    answer = client.post(URL, data=b"[]", headers=BEARER, content_type="text/plain")
    assert (answer.status_code, answer.json["code"]) == (415, 415)


@pytest.mark.parametrize("token", ["source-token", "admin-token", "", "prometheus-token "])
def test_prometheus_needs_its_token(client, token):
    """The token of an Alertmanager opens its own address only."""
    answer = client.post(URL, data=b"x", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == (400 if token.strip() == "prometheus-token" else 401)


def test_prometheus_basic_authentication(client):
    """The token is the password."""
    credentials = base64.b64encode(b"x:prometheus-token").decode()
    assert client.post(URL, json=[], headers={"Authorization": f"Basic {credentials}"}).status_code == 200


def test_prometheus_store_away_is_503(client, intake):
    """The next post comes within a minute."""
    intake.error = StoreUnavailable("gone")
    assert post(client, alert()).status_code == 503


@pytest.mark.parametrize(
    ("token", "code"),
    [("prometheus-token", 200), ("viewer-token", 200), ("source-token", 401), ("", 401)],
)
def test_prometheus_status_for_amtool(client, token, code):
    """It holds every field that amtool's client demands."""
    answer = client.get("/api/v2/status", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == code
    if code == 200:
        assert answer.json["cluster"]["status"] == "disabled"
        assert set(answer.json["versionInfo"]) == {
            "version", "revision", "branch", "buildUser", "buildDate", "goVersion",
        }  # fmt: skip
        assert answer.json["config"] == {"original": ""}
        assert answer.json["uptime"] == "2026-11-02T03:00:00Z"


def test_prometheus_wrong_method_is_405(client, record):
    """Other calls of an Alertmanager's API are not there."""
    assert client.get(URL, headers=BEARER).status_code == 405
    assert client.get("/api/v2/silences", headers=BEARER).status_code == 404
    assert record.seen == [("unknown", 405)]
