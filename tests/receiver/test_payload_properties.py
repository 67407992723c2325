"""Whatever arrives at any address, the answer is one of those that are documented, and never a 5xx."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.payloads import generic, grafana, pagerduty, pagerduty_events, prometheus
from receiver.payloads.mapping import compile_mapping, shipped
from receiver.payloads.pagerduty_events import Invalid
from receiver.payloads.parsed import BadPayload

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
KEY = "0123456789abcdef0123456789abcdef"
MAPPINGS = {name: compile_mapping(name) for name in shipped()}
OWN = compile_mapping(
    {
        "items": "alerts || @",
        "labels": {"alertname": "title", "x": "join(',', x)"},
        "annotations": {"a": "to_string(@)"},
        "status": {"expr": "status", "firing": ["firing"]},
        "identity": "id",
        "starts_at": "startsAt",
    }
)

texts = st.text(st.characters(exclude_categories=()), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
words = st.sampled_from(
    [
        "firing",
        "resolved",
        "triggered",
        "acknowledged",
        "incident",
        "ALARM",
        "Recovered",
        "trigger",
        "x",
        "2026-11-02T03:00:00Z",
    ]
)
values = words | anything


def shaped(*names, inner=values):
    """Objects that have some of these names, each with anything at all."""
    return st.dictionaries(st.sampled_from(names), inner, max_size=len(names))


reference = shaped("id", "summary", "type", "name") | values
incident = shaped(
    "id", "type", "status", "title", "html_url", "incident_key", "number", "created_at", "reopened_at", "service",
    "teams", "assignees", "priority", "urgency", "incident", "content", "message", "user", "incident_role_assignments",
    "custom_fields", "resolve_reason", "conference_bridge", "incident_type",
    inner=values | reference | st.lists(reference, max_size=3),
)  # fmt: skip
kinds = st.sampled_from([f"incident.{name}" for name in pagerduty._TOUCHES] + ["pagey.ping", "incident.x", ""]) | values
pagerduty_bodies = st.builds(
    lambda base, kind, data: {"event": base | {"event_type": kind, "data": data}},
    shaped("id", "occurred_at", "agent", inner=values | reference),
    kinds,
    incident,
)
alert = shaped(
    "status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint", "values", "silenceURL",
    inner=values | st.dictionaries(texts, texts, max_size=3),
)  # fmt: skip
details = shaped("firing", "resolved", "service", "num_firing", inner=st.lists(alert, max_size=3) | values)
payload = shaped("summary", "source", "severity", "timestamp", "component", "custom_details", inner=values | details)
events = st.builds(
    lambda base, action, payload: base | {"routing_key": KEY, "event_action": action, "payload": payload},
    shaped("dedup_key", "client", "client_url", "links", "images", inner=values | st.lists(reference)),
    st.sampled_from(["trigger", "acknowledge", "resolve", "x"]),
    payload,
)
any_mapped = st.recursive(
    shaped(
        "Message", "Type", "AlarmName", "Trigger", "action", "data", "event", "issue", "metric_alert", "tags", "title",
        "transition", "alert_id", "alerts", "id", "x", "projects", "Dimensions", "status", "startsAt",
    ) | values,
    lambda inner: shaped("data", "event", "issue", "metric_alert", "alerts", "Trigger", "Dimensions", inner=inner)
    | st.lists(inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def as_json(value: object) -> bytes:
    """Standard JSON, but for lone surrogates, which stay as escapes."""
    return json.dumps(value).replace("NaN", "0").replace("-Infinity", "0").replace("Infinity", "0").encode()


def storable(value: object) -> None:
    """What comes out of a parser can be stored and read again."""
    msgspec.json.decode(msgspec.json.encode(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_way(body):
    """Each parser knows one error for them."""
    for parse in (
        pagerduty.parse,
        grafana.parse,
        lambda body: prometheus.parse(body, NOW),
        pagerduty_events.read,
        lambda body: generic.parse(body, OWN),
        *(lambda body, mapping=mapping: generic.parse(body, mapping) for mapping in MAPPINGS.values()),
    ):
        with suppress(BadPayload, Invalid):
            storable(parse(body))


@given(pagerduty_bodies | anything)
def test_pagerduty_any_event_is_events_or_one_error(value):
    """Every type with any data."""
    with suppress(BadPayload):
        storable(pagerduty.parse(as_json(value), "hook"))


@given(events | anything)
def test_pagerduty_events_any_event_is_taken_or_invalid(value):
    """The errors are sentences, and the key is in nothing that is made of it."""
    with suppress(BadPayload, Invalid):
        read = pagerduty_events.read(as_json(value))
        for taken in (pagerduty_events.take(read, b"h" * 32, "new"), pagerduty_events.take_change(read, "events")):
            storable(taken)
            assert KEY not in msgspec.json.encode([taken.incoming, taken.refused]).decode()


@given(st.lists(alert | values, max_size=4))
def test_prometheus_any_list_is_alerts_and_refusals(value):
    """None is lost."""
    with suppress(BadPayload):
        parsed = prometheus.parse(as_json(value), NOW)
        assert len(parsed.alerts) + len(parsed.refused) == len(value)
        storable([parsed.alerts, parsed.refused])
        for each in parsed.alerts:
            assert (each.status == "firing") == (each.expires_at is not None and each.expires_at > NOW)


@given(st.lists(alert | values, max_size=4))
def test_grafana_any_list_is_alerts_and_refusals(value):
    """None is lost."""
    parsed = grafana.parse(as_json({"alerts": value}))
    assert len(parsed.alerts) + len(parsed.refused) == len(value)
    storable([parsed.alerts, parsed.refused])


@pytest.mark.parametrize("mapping", [OWN, *MAPPINGS.values()], ids=["own", *MAPPINGS])
@given(value=any_mapped)
def test_mapping_any_value_is_mapped_kept_aside_or_refused(mapping, value):
    """Expressions fail in many ways, and each costs one alert."""
    with suppress(BadPayload):
        storable(generic.parse(as_json(value), mapping))


def signed(body: bytes) -> dict[str, str]:
    return {"X-PagerDuty-Signature": "v1=" + hmac.new(b"pagerduty-secret", body, hashlib.sha256).hexdigest()}


ADDRESSES = [
    ("/webhooks/pagerduty", signed, {202}),
    ("/v2/enqueue", lambda _: {"X-Routing-Key": KEY}, {202, 400}),
    ("/v2/change/enqueue", lambda _: {"X-Routing-Key": KEY}, {202, 400}),
    ("/api/v2/alerts", lambda _: {"Authorization": "Bearer prometheus-token"}, {200, 400}),
    ("/webhooks/grafana", lambda _: {"Authorization": "Bearer grafana-token"}, {202, 400}),
    ("/webhooks/generic/ci", lambda _: {"Authorization": "Bearer generic-token"}, {202, 400}),
]
HEADERS = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=80)
SHAPED = st.one_of(pagerduty_bodies, events, any_mapped, st.lists(alert, max_size=2))
BODIES = st.binary(max_size=60) | SHAPED.map(as_json)


@pytest.mark.parametrize(("url", "credential", "codes"), ADDRESSES, ids=[url for url, _, _ in ADDRESSES])
def test_address_answers_only_what_is_documented(client, url, credential, codes):
    """With a good credential, whatever the body is."""

    @settings(max_examples=60)
    @given(BODIES)
    def check(body):
        assert client.post(url, data=body, headers=credential(body)).status_code in codes

    check()


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("/webhooks/pagerduty", "X-PagerDuty-Signature"),
        ("/webhooks/grafana", "X-Grafana-Alerting-Signature"),
        ("/webhooks/generic/ci", "webhook-signature"),
        ("/webhooks/generic/sentry", "Sentry-Hook-Signature"),
        ("/webhooks/alertmanager", "Authorization"),
        ("/api/v2/alerts", "Authorization"),
    ],
)
def test_address_answers_any_credential_with_401(client, url, header):
    """However it is written."""
    recent = {"webhook-id": "x", "webhook-timestamp": str(int(NOW.timestamp()))}

    @settings(max_examples=40)
    @given(HEADERS | HEADERS.map(lambda text: "v1," + base64.b64encode(text.encode()).decode()))
    def check(value):
        assert client.post(url, data=b"{}", headers=recent | {header: value}).status_code == 401

    check()
