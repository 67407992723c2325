"""PagerDuty's webhooks at the door: nothing without a signature, and never a 4xx with one."""

import hashlib
import hmac
import json

import pytest

from incidents.errors import StoreUnavailable

URL = "/webhooks/pagerduty"
BODY = json.dumps(
    {
        "event": {
            "id": "01EVENT",
            "event_type": "incident.triggered",
            "resource_type": "incident",
            "occurred_at": "2026-11-02T02:59:58.000Z",
            "agent": None,
            "client": None,
            "data": {"id": "PINC1", "type": "incident", "status": "triggered", "title": "Disk full"},
        }
    }
).encode()


def digest(body, secret=b"pagerduty-secret"):
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def post(client, body=BODY, signature=None, **headers):
    signature = f"v1={digest(body)}" if signature is None else signature
    return client.post(URL, data=body, headers={"X-PagerDuty-Signature": signature, **headers})


def test_pagerduty_signed_delivery_is_taken(client, intake, record):
    """The event goes to the stream under the source whose secret signed it, with both of its ids."""
    answer = post(client, **{"X-Webhook-Id": "0f1e"})
    assert (answer.status_code, answer.json["accepted"]) == (202, 1)
    assert (intake.sources, record.seen) == (["pd"], [("pd", 202)])
    assert intake.incoming[0].ids == ("0f1e", "01EVENT")
    assert intake.incoming[0].alert.labels["alertname"] == "Disk full"


@pytest.mark.parametrize(
    ("signature", "source"),
    [
        (f"v1={digest(BODY, b'next-secret')}", "pd"),
        (f"v1={digest(BODY, b'european-secret')}", "pd-eu"),
        (f"v1={'0' * 64},v1={digest(BODY)}", "pd"),
        (f"v1={'0' * 64}, v1={digest(BODY)}", "pd"),
        (f"v2={'0' * 64},v1={digest(BODY)}", "pd"),
        (f"v1={digest(BODY).upper()}", "pd"),
        (",".join([*[f"v1={'0' * 64}"] * 7, f"v1={digest(BODY)}"]), "pd"),
    ],
)
def test_pagerduty_any_signature_of_any_secret_is_enough(client, intake, signature, source):
    """Secrets rotate, and several subscriptions have one each."""
    assert post(client, signature=signature).status_code == 202
    assert intake.sources == [source]


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "v1=",
        "v1",
        f"v2={digest(BODY)}",
        digest(BODY),
        f"v1={digest(BODY)[:-1]}",
        f"v1={digest(BODY)}0",
        f"v1={'z' * 64}",
        f"v1={'٣' * 64}".encode().decode("latin-1"),
        f"v1={digest(BODY)[:-1]}{'0' if digest(BODY)[-1] != '0' else '1'}",
        f"v1={digest(BODY, b'source-token')}",
        f"v1={digest(BODY, b'')}",
        ",".join([*[f"v1={'0' * 64}"] * 8, f"v1={digest(BODY)}"]),
        ",".join([f"v1={'0' * 64}"] * 500),
        ",".join([*["v2=x"] * 1000, f"v1={digest(BODY)}"]),
    ],
)
def test_pagerduty_without_a_valid_signature_is_401(client, intake, record, signature):
    """Missing, malformed, of another version, wrong by a digit, or beyond the eighth candidate."""
    answer = post(client, signature=signature)
    assert answer.status_code == 401
    assert answer.data == client.post(URL, data=b"").data
    assert (intake.sources, record.seen[0]) == ([], ("unknown", 401))


@pytest.mark.parametrize(
    "body",
    [BODY.replace(b"Disk", b"disk"), BODY + b" ", BODY[:-1], json.dumps(json.loads(BODY), indent=1).encode(), b""],
)
def test_pagerduty_changed_body_is_401(client, body):
    """One byte, or other white space, is another body."""
    assert post(client, body, f"v1={digest(BODY)}").status_code == 401


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty"),
        (b"null", "/event"),
        (b"[]", "/event"),
        (b'"x"', "/event"),
        (b"{}", "/event"),
        (b'{"event": {}}', "/event"),
        (b'{"event": {"id": "x"}}', "/event/event_type"),
        (b'{"event": {"event_type": "incident.triggered"}}', "names no incident"),
        (b'{"event": {"event_type": "incident.annotated", "data": {"type": "incident_note"}}}', "names no incident"),
        (b"{", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"event": NaN}', "not JSON"),
        (b'{"event": 1e999}', "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"\x1f\x8b\x08\x00", "not UTF-8"),
        (b'{"messages": [{"event": "incident.trigger"}]}', "Make a V3 webhook subscription"),
        (b'{"messages": []}', "V1 or V2"),
    ],
)
def test_pagerduty_signed_nonsense_is_202_and_kept(client, intake, record, body, told):
    """Three refusals would switch the subscription off for a day."""
    answer = post(client, body)
    assert (answer.status_code, answer.json["accepted"], answer.json["quarantined"]) == (202, 0, 1)
    assert told in intake.refused[0].reason
    assert record.seen == [("pd", 202)]


def test_pagerduty_signed_body_of_any_media_type_is_taken(client):
    """The signature says enough."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    assert post(client, **headers).status_code == 202


def test_pagerduty_kept_nonsense_holds_no_credentials(client, intake):
    """What people read later is redacted."""
    post(client, b'{"event": {}, "api_key": "u+verysecretkey"}')
    assert "verysecret" not in intake.refused[0].text


def test_pagerduty_store_away_is_503(client, intake):
    """PagerDuty tries again for two days."""
    intake.error = StoreUnavailable("gone")
    assert post(client).status_code == 503
    assert post(client, b"{}").status_code == 503


def test_pagerduty_body_over_a_mebibyte_is_413(client, record):
    """Nobody has shown who they are yet, and PagerDuty sends no more than a quarter of it."""
    assert post(client, b" " * (1024 * 1024 + 1)).status_code == 413
    assert record.seen == [("unknown", 413)]


@pytest.mark.parametrize("kind", ["pagey.ping", "incident.new_thing", "service.updated", "x", "incident."])
def test_pagerduty_unknown_types_are_accepted_without_effect(client, intake, kind):
    """PagerDuty adds types; the ping of its button is one that means nothing."""
    body = json.dumps({"event": {"id": "e", "event_type": kind, "data": {"type": "ping", "message": "Hello"}}}).encode()
    answer = post(client, body)
    assert (answer.status_code, answer.json["accepted"]) == (202, 1)
    event = intake.incoming[0]
    assert (event.ids, event.alert, event.touch, event.action) == (("e",), None, None, None)
