"""The stand-in for PagerDuty's Events API: its answers, its scopes, and a routing key that is never kept."""

import json
import re

import pytest
from msgspec import json as msgspec_json

from incidents.errors import StoreUnavailable
from incidents.incoming import TouchKind
from incidents.values import AlertStatus

URL = "/v2/enqueue"
CHANGE = "/v2/change/enqueue"
KEY = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
PAYLOAD = {"summary": "Disk of db-1 is full", "source": "db-1.example", "severity": "critical"}


def event(action="trigger", **fields):
    made = {"routing_key": KEY, "event_action": action, "dedup_key": "disk/db-1", "payload": PAYLOAD}
    return {name: value for name, value in (made | fields).items() if value is not ...}


def post(client, body, url=URL, **headers):
    return client.post(url, data=body if isinstance(body, bytes) else json.dumps(body), headers=headers)


def test_events_trigger_is_answered_as_pagerduty_does(client, intake, record):
    """Client libraries insist on 202 and the dedup key."""
    answer = post(client, event())
    assert answer.status_code == 202
    assert answer.json == {"status": "success", "message": "Event processed", "dedup_key": "disk/db-1"}
    assert (intake.sources, record.seen) == (["events"], [("events", 202)])
    found = intake.incoming[0]
    assert (found.incident_key, found.alert.status) == ("disk/db-1", AlertStatus.FIRING)
    assert found.alert.labels == {
        "alertname": "Disk of db-1 is full",
        "severity": "critical",
        "host": "db-1.example",
    }


def test_events_missing_dedup_key_is_made_on_trigger(client):
    """Each such trigger is an alert of its own."""
    keys = {post(client, event(dedup_key=...)).json["dedup_key"] for _ in range(3)}
    assert len(keys) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


def test_events_acknowledge_and_resolve_need_no_payload(client, intake):
    """They name the alert by its key alone, and mean the one that was triggered."""
    for action in ("trigger", "acknowledge", "resolve"):
        assert post(client, event(action, payload=PAYLOAD if action == "trigger" else ...)).status_code == 202
    fired, touched, resolved = intake.incoming
    assert touched.touch.kind is TouchKind.ACKNOWLEDGED
    assert (touched.alert, resolved.touch) == (None, None)
    assert resolved.alert.status is AlertStatus.RESOLVED
    assert fired.alert.fingerprint == touched.touch.fingerprint == resolved.alert.fingerprint


def test_events_dedup_keys_are_scoped_by_routing_key(client, intake):
    """One team's key cannot resolve the alert of another's."""
    for key in (KEY, OTHER):
        post(client, event("resolve", routing_key=key))
    assert intake.sources == ["events", "more"]
    assert intake.incoming[0].alert.fingerprint != intake.incoming[1].alert.fingerprint


@pytest.mark.parametrize(
    ("given", "severity"),
    [("critical", "critical"), ("Warning", "warning"), ("page", "error"), ("", "error"), (None, "error"), (7, "error")],
)
def test_events_unknown_severity_is_error(client, intake, given, severity):
    """Alertmanager does not check what its template gives."""
    assert post(client, event(payload=PAYLOAD | {"severity": given})).status_code == 202
    assert intake.incoming[0].alert.labels["severity"] == severity


def test_events_labels_come_from_fields_and_short_details(client, intake):
    """What rules may want is a label; what is long or no text is an annotation."""
    details = {"service": "orders", "ping time": "1500ms", "load": 0.75, "trace": "x" * 300, "": "?", "severity": "low"}
    fields = {"component": "postgres", "group": "data", "class": "disk", "custom_details": details}
    links = [{"href": "https://example.com/", "text": "Graph"}, 7]
    post(client, event(payload=PAYLOAD | fields, client="Monit", client_url="https://monit.example", links=links))
    alert = intake.incoming[0].alert
    assert alert.labels == {
        "alertname": "disk",
        "severity": "critical",
        "host": "db-1.example",
        "component": "postgres",
        "group": "data",
        "class": "disk",
        "service": "orders",
        "ping_time": "1500ms",
    }
    assert alert.annotations["load"] == "0.75"
    assert alert.annotations["trace"] == "x" * 300
    assert alert.annotations["links"] == "Graph https://example.com/"
    assert (alert.annotations["client"], alert.generator_url) == ("Monit", "https://monit.example")


LISTED = """Labels:
 - alertname = Trouble
 - instance = {}
 - service = orders
 - severity = page
Annotations:
 - summary = it = broken
 - team = none
Source: http://prometheus.example/graph
"""


def test_events_text_of_alertmanager_gives_the_common_labels(client, intake):
    """Up to 0.29 Alertmanager lists its alerts as text; what all of them have in common is known."""
    details = {"firing": LISTED.format("a") + LISTED.format("b"), "resolved": "", "num_firing": "2"}
    payload = {"summary": "[FIRING:2] Trouble orders", "source": "Alertmanager", "severity": "error"}
    post(client, event(client="Alertmanager", payload=payload | {"custom_details": details}))
    assert intake.incoming[0].alert.labels == {"alertname": "Trouble", "service": "orders", "severity": "page"}


def test_events_counts_are_no_part_of_a_name(client, intake):
    """The number of firing alerts changes with every notification."""
    post(client, event(payload=PAYLOAD | {"summary": "[FIRING:3] Trouble orders"}))
    assert intake.incoming[0].alert.labels["alertname"] == "Trouble orders"


def test_events_arrays_of_alertmanager_are_single_alerts(client, intake):
    """From 0.30 on the alerts come whole; each keeps its own fingerprint, within the scope of the key."""
    labels = {"alertname": "Trouble", "service": "orders"}
    one = {"status": "firing", "labels": labels, "fingerprint": "c5a1f1d2e3b4a596", "startsAt": "2026-11-02T02:00:00Z"}
    two = {"status": "resolved", "labels": labels | {"instance": "b"}, "endsAt": "2026-11-02T02:30:00Z"}
    details = {"firing": [one, {"labels": {"a": 1}}, 5], "resolved": [two], "num_firing": 3}
    for key in (KEY, OTHER):
        answer = post(client, event(routing_key=key, payload=PAYLOAD | {"custom_details": details}))
        assert answer.json["dedup_key"] == "disk/db-1"
    alerts = [each.alert for each in intake.incoming]
    assert [(each.status, each.labels.get("instance")) for each in alerts[:2]] == [("firing", None), ("resolved", "b")]
    assert len({each.fingerprint for each in alerts}) == 4
    assert [each.reason.partition(":")[0] for each in intake.refused[:2]] == [
        "/payload/custom_details/firing/1/labels/a",
        "/payload/custom_details/firing/2",
    ]


def test_events_long_and_many_fields_are_cut(client, intake):
    """A client bounds nothing."""
    details = {f"k{index}": "v" for index in range(500)}
    post(client, event(payload=PAYLOAD | {"summary": "s" * 5000, "custom_details": details}))
    alert = intake.incoming[0].alert
    assert (len(alert.labels), len(alert.labels["alertname"])) == (64, 256)
    assert "tocsin_truncated" in alert.annotations


INVALID = [
    (event("frob"), "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge', 'resolve')"),
    (event(event_action=...), "'event_action' is missing or blank"),
    (event(payload=...), "'payload' is missing or blank"),
    (event(payload=PAYLOAD | {"summary": " "}), "'payload.summary' is missing or blank"),
    (event(payload=PAYLOAD | {"source": None}), "'payload.source' is missing or blank"),
    (event("resolve", dedup_key=...), "'dedup_key' is missing or blank"),
    (event("acknowledge", dedup_key=""), "'dedup_key' is missing or blank"),
    (event(dedup_key="x" * 256), "Length of 'dedup_key' is incorrect (should be no more than 255 characters)"),
    (event(dedup_key=["x"]), "'dedup_key' must be a string"),
    (event(routing_key=...), "'routing_key' is missing or blank"),
    (event(routing_key=7), "'routing_key' is missing or blank"),
    (event(routing_key="wrong-key-wrong-key-wrong-key-00"), "Invalid routing key"),
    (event(routing_key=KEY + "0"), "Invalid routing key"),
    (event(routing_key="ключ"), "Invalid routing key"),
    (b"null", "The event must be a JSON object"),
    (b"[]", "The event must be a JSON object"),
    (b'"x"', "The event must be a JSON object"),
    (b"{}", "'routing_key' is missing or blank"),
]


@pytest.mark.parametrize(("body", "told"), INVALID)
def test_events_invalid_event_is_400_in_pagerdutys_words(client, intake, body, told):
    """Clients read `errors`."""
    answer = post(client, body)
    assert answer.status_code == 400
    assert answer.json == {"status": "invalid event", "message": "Event object is invalid", "errors": [told]}
    assert intake.sources == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000, b"\xff\xfe{\x00}\x00"]
)
@pytest.mark.parametrize("url", [URL, CHANGE])
def test_events_unreadable_body_is_400(client, record, body, url):
    """No 5xx: a client would send it for ever."""
    answer = post(client, body, url)
    assert (answer.status_code, answer.json["status"]) == (400, "Unrecognized object")
    assert answer.json["errors"][0] == "JSON parse error"
    assert record.seen == [("unknown", 400)]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-Type": "text/html"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Length": "9999999999"}, 413),
    ],
)
def test_events_other_refusals_have_the_same_form(client, headers, code):
    """Nothing of a compressed or an endless body is read."""
    given = {"CONTENT_LENGTH": headers.pop("Content-Length")} if "Content-Length" in headers else {}
    answer = client.post(URL, data=b"{}", headers=headers, environ_overrides=given)
    assert answer.status_code == code
    assert set(answer.json) == {"status", "message", "errors"}


def test_events_store_away_is_503(client, intake):
    """Clients try again after a 5xx."""
    intake.error = StoreUnavailable("unix:///secret.sock")
    answer = post(client, event())
    assert (answer.status_code, set(answer.json)) == (503, {"status", "message", "errors"})
    assert "Retry-After" in answer.headers
    assert b"secret.sock" not in answer.data


def test_events_key_may_stand_in_a_header(client, intake):
    """Old clients send it there; the body goes first."""
    assert post(client, event(routing_key=...), **{"X-Routing-Key": KEY}).status_code == 202
    assert post(client, event(), **{"X-Routing-Key": OTHER}).status_code == 202
    assert intake.sources == ["events", "events"]


def test_events_routing_key_goes_nowhere(client, intake, capfd):
    """Whatever field repeats it: not to the store, not to an answer, not to a log."""
    details = {"note": f"key {KEY}", KEY: "x", "firing": [{"labels": {"a": 1, "b": KEY}}, {"labels": {"b": KEY}}]}
    payload = PAYLOAD | {"summary": f"{KEY} leaked", "component": KEY, "custom_details": details}
    post(client, event(payload=payload, dedup_key=f"a-{KEY}", client_url=f"https://x/{KEY}"))
    post(client, event(payload=payload | {"custom_details": {"note": KEY, KEY: "y", "long": KEY * 20}}))
    post(client, {"routing_key": KEY, "payload": payload}, CHANGE)
    answer = post(client, event("frob", payload=KEY))
    kept = msgspec_json.encode([intake.incoming, intake.refused]).decode()
    assert len(intake.incoming) == 3
    assert len(intake.refused) == 1
    assert "leaked" in kept
    assert KEY not in kept
    assert KEY not in answer.text
    assert KEY not in "".join(capfd.readouterr())


def test_change_event_is_an_action(client, intake):
    """A deployment is something that was done to a service."""
    details = {"service": "orders", "author": "Maeve", "build": "17"}
    payload = {"summary": "Deployed 1.2", "source": "ci", "timestamp": "2026-11-02T02:00:00.000+0000"}
    answer = post(client, {"routing_key": KEY, "payload": payload | {"custom_details": details}}, CHANGE)
    assert (answer.status_code, answer.json) == (202, {"status": "success", "message": "Change event processed"})
    action = intake.incoming[0].action
    assert (action.kind, action.service, action.text, action.actor) == ("change", "orders", "Deployed 1.2", "Maeve")
    assert action.at.hour == 2
    assert action.labels == {"service": "orders", "author": "Maeve", "build": "17", "host": "ci"}


@pytest.mark.parametrize(
    ("payload", "service", "actor"),
    [
        ({"summary": "x", "source": "ci"}, "ci", "ci"),
        ({"summary": "x"}, "events", "events"),
        ({"summary": "x", "source": "ci", "timestamp": "2026-11-02T02:00:00+00:00Z"}, "ci", "ci"),
    ],
)
def test_change_event_without_details_still_says_where(client, intake, payload, service, actor):
    """The source stands in for what is not said."""
    assert post(client, {"routing_key": KEY, "payload": payload}, CHANGE).status_code == 202
    assert (intake.incoming[0].action.service, intake.incoming[0].action.actor) == (service, actor)


@pytest.mark.parametrize(
    ("payload", "told"), [(..., "'payload' is missing"), ({"source": "x"}, "'payload.summary' is")]
)
def test_change_event_needs_a_summary(client, payload, told):
    """As PagerDuty does."""
    answer = post(client, event(payload=payload), CHANGE)
    assert answer.status_code == 400
    assert answer.json["errors"][0].startswith(told)
