"""The pagerduty channel against a look-alike that holds every event against the documented schema."""

import json
from datetime import UTC, datetime

import pytest
from page_sink import CLOSE, DRIP, HANG, Answer
from pagerduty_look_alike import KEY, PATH, pagerduty

from incidents.oncall import Channel
from workers.channels import DeliveryError, MessageType, Senders
from workers.channels.http import HttpClient
from workers.channels.pagerduty import EVENTS_URL, PagerDutySender, event_of

__all__ = ["pagerduty"]

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
HOSTILE = "<!channel> \x1b[2J\r\nBcc: x@example.org \u202e ]]>{{7*7}} " + "x" * 5000
INCIDENT = {
    "id": "INC-2026-0001",
    "title": "Zahlungen stocken",
    "severity": "SEV1",
    "criterion": "slo_breach",
    "rule": None,
    "team": "default",
    "identity": {"service": "checkout", "region": "eu"},
    "declared_at": "2026-11-02T03:00:00.000Z",
    "alerts": {"firing": 3, "resolved": 0},
    "summary": "",
    "runbook": "https://runbooks.example.org/checkout",
}


def sender_to(pagerduty, seconds):
    channel = Channel(name="pd", kind="pagerduty", options={"routing_key": KEY, "url": pagerduty.events_url})
    return PagerDutySender(channel, HttpClient(connect_seconds=30, answer_seconds=seconds))


@pytest.fixture
def sender(pagerduty):
    """A sender to the look-alike; an answer that comes may take its time."""
    return sender_to(pagerduty, 30)


def fails(sender, message):
    with pytest.raises(DeliveryError) as caught:
        sender.send(message, NOW)
    return caught.value


def test_pagerduty_takes_the_whole_lifecycle_under_one_key(pagerduty, sender, message):
    """Trigger, acknowledge and resolve are one alert there, and a second step triggers no second one."""
    key = "INC-2026-0001-aaaaaaaa"
    for kind, state in [
        (MessageType.PAGE, "triggered"),
        (MessageType.PAGE, "triggered"),
        (MessageType.PAGE_ACKNOWLEDGED, "acknowledged"),
        (MessageType.PAGE_RESOLVED, "resolved"),
    ]:
        receipt = sender.send(message(type=kind, dedup_key=key, incident=INCIDENT), NOW)
        assert (receipt.answer, receipt.provider_id) == ("202 Accepted", key)
        assert pagerduty.alerts == {key: state}
    for action in ("trigger", "trigger", "acknowledge", "resolve"):
        event = pagerduty.expect_event(action, dedup_key=key)
    assert set(event) == {"routing_key", "event_action", "dedup_key"}


def test_pagerduty_tells_what_the_incident_is(pagerduty, sender, message):
    """Summary, source, severity, class and details; links lead to the incident and its runbook."""
    sender.send(message(incident=INCIDENT, text="SEV1 declared: Zahlungen stocken"), NOW)
    event = pagerduty.expect_event("trigger")
    payload = event["payload"]
    assert payload["summary"] == "SEV1 declared: Zahlungen stocken"
    assert payload["source"] == "service=checkout, region=eu"
    assert (payload["severity"], payload["component"], payload["class"]) == ("critical", "checkout", "slo_breach")
    assert payload["custom_details"]["alerts"] == {"firing": 3, "resolved": 0}
    assert event["client_url"] == "http://127.0.0.1:9095/incidents/INC-2026-0001"
    assert [link["href"] for link in event["links"]] == [event["client_url"], INCIDENT["runbook"]]


@pytest.mark.parametrize(
    ("severity", "theirs"), [("SEV1", "critical"), ("SEV2", "error"), ("SEV3", "warning"), ("SEV4", "info")]
)
def test_pagerduty_severity_is_one_of_theirs(message, severity, theirs):
    """Each of our four has its word."""
    assert event_of(message(incident=INCIDENT | {"severity": severity}), KEY)["payload"]["severity"] == theirs


def test_pagerduty_makes_hostile_text_harmless(pagerduty, sender, message):
    """Control characters, over-long texts and addresses that are none do not break the event."""
    incident = INCIDENT | {
        "title": HOSTILE,
        "identity": {"service": HOSTILE},
        "runbook": "javascript:alert(1)",
        "summary": HOSTILE,
    }
    sender.send(message(incident=incident, text=HOSTILE, dedup_key="k" * 400), NOW)
    event = pagerduty.expect_event("trigger", dedup_key="k" * 255)
    assert "\x1b" not in event["payload"]["summary"]
    assert "\n" not in event["payload"]["summary"]
    assert "javascript" not in json.dumps(event["links"])


def test_pagerduty_leaves_out_details_that_are_too_large(pagerduty, sender, message):
    """The page matters more than its details."""
    sender.send(message(incident=INCIDENT | {"summary": "x" * 600_000}), NOW)
    assert "left out" in pagerduty.expect_event("trigger")["payload"]["custom_details"]


@pytest.mark.parametrize(
    ("answer", "permanent", "reason"),
    [
        (
            Answer(400, body=b'{"status":"invalid event","message":"Event object is invalid","errors":["no"]}'),
            True,
            "no",
        ),
        (Answer(403, body=b"<html>"), True, "403"),
        (Answer(429, {"Retry-After": "30"}, b'{"status":"throttle exceeded"}'), False, "429"),
        (Answer(500), False, "500"),
        (Answer(503, body=b"x" * 1_000_000), False, "503"),
        (Answer(307, {"Location": "http://127.0.0.1:1/"}), True, "redirects are not followed"),
        (CLOSE, False, "closed the connection"),
        (HANG, False, "no answer"),
        (DRIP, False, "no answer"),
    ],
)
def test_pagerduty_error_says_whether_trying_again_can_help(pagerduty, sender, message, answer, permanent, reason):
    """400 is final, 429 and 5xx are not, silence may have been taken; and nothing holds the page for long."""
    pagerduty.script(answer, path=PATH)
    error = fails(sender_to(pagerduty, 0.5) if answer in (HANG, DRIP) else sender, message(incident=INCIDENT))
    assert (error.permanent, error.unanswered) == (permanent, answer in (CLOSE, HANG, DRIP))
    assert reason in error.reason
    assert len(error.reason) < 400


def test_pagerduty_wrong_key_is_permanent_and_not_repeated(pagerduty, message):
    """The reason is PagerDuty's own, without the key even where the answer repeats it."""
    other = "S" * 32
    options = {"routing_key": other, "url": pagerduty.events_url}
    error = fails(PagerDutySender(Channel(name="pd", kind="pagerduty", options=options)), message(incident=INCIDENT))
    assert error.permanent
    assert error.reason == "answered 400 Bad Request: Event object is invalid: Invalid routing key"
    pagerduty.script(Answer(400, body=b'{"message":"unknown ' + other.encode() + b'"}'), path=PATH)
    error = fails(PagerDutySender(Channel(name="pd", kind="pagerduty", options=options)), message(incident=INCIDENT))
    assert other not in error.reason


def test_pagerduty_reads_its_key_from_a_file(pagerduty, message, tmp_path):
    """At each send."""
    (tmp_path / "key").write_text(KEY + "\n")
    options = {"routing_key_file": str(tmp_path / "key"), "url": pagerduty.events_url}
    Senders()(Channel(name="pd", kind="pagerduty", options=options)).send(message(incident=INCIDENT), NOW)
    pagerduty.expect_event("trigger", routing_key=KEY)


def test_pagerduty_address_is_their_own_unless_said_otherwise():
    """The default is the documented address."""
    sender = PagerDutySender(Channel(name="pd", kind="pagerduty", options={"routing_key": KEY}))
    assert sender.provider == "events.pagerduty.com"
    assert EVENTS_URL == "https://events.pagerduty.com/v2/enqueue"


def test_pagerduty_does_not_know_announcements(message):
    """It pages; to announce there would wake somebody."""
    with pytest.raises(DeliveryError, match="announce to another channel"):
        event_of(message(type=MessageType.ANNOUNCEMENT), KEY)
