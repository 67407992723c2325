"""The slack channel against a look-alike that holds every message against the documented limits."""

from datetime import UTC, datetime

import pytest
from page_sink import CLOSE, DRIP, HANG, Answer
from slack_look_alike import PATH, links_of, mentions_of, slack, texts_of

from incidents.oncall import Channel
from workers.channels import DeliveryError, MessageType
from workers.channels.http import HttpClient
from workers.channels.slack import SlackSender, escape

__all__ = ["slack"]

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
HOSTILE = "<!channel> <@U012> <!subteam^S1> <#C1> <http://evil.example|click> & \x1b[2J\r\nx"


def sender_to(slack, seconds):
    channel = Channel(name="s", kind="slack", options={"webhook_url": slack.webhook_url})
    return SlackSender(channel, HttpClient(connect_seconds=30, answer_seconds=seconds))


@pytest.fixture
def sender(slack):
    """A sender to the look-alike; an answer that comes may take its time."""
    return sender_to(slack, 30)


def fails(sender, message):
    with pytest.raises(DeliveryError) as caught:
        sender.send(message, NOW)
    return caught.value


def test_slack_shows_the_page_and_links_to_it(slack, sender, message):
    """The heading has severity and title, and the links lead to acknowledging and to the incident."""
    assert sender.send(message(), NOW).answer == "200 OK"
    posted = slack.expect_message(containing="Zahlungen stocken")
    assert posted["blocks"][0]["text"]["text"] == "Page SEV1 Zahlungen stocken"
    assert links_of(posted) == {
        "Acknowledge": "http://127.0.0.1:9095/a/x",
        "Incident": "http://127.0.0.1:9095/incidents/INC-2026-0001",
    }
    assert posted["text"] == "SEV1 Zahlungen stocken"


def test_slack_says_what_is_over_and_asks_for_nothing(slack, sender, message):
    """Neither the end nor an announcement has a link to acknowledge."""
    for kind in (MessageType.PAGE_RESOLVED, MessageType.ANNOUNCEMENT):
        sender.send(message(type=kind), NOW)
        assert "Acknowledge" not in links_of(slack.expect_message())


def test_slack_text_of_alerts_can_neither_mention_nor_link(slack, sender, message):
    """In the title, the text, the identity, the person and the runbook."""
    incident = {
        "id": "INC-2026-0001",
        "title": HOSTILE,
        "severity": "SEV1",
        "status": "declared",
        "identity": {"service": HOSTILE, HOSTILE: "x"},
        "criterion": HOSTILE,
        "alerts": {"firing": 2},
        "runbook": "javascript:alert(1)",
    }
    sender.send(message(incident=incident, text=HOSTILE, person=HOSTILE, page_id=HOSTILE), NOW)
    posted = slack.expect_message()
    assert mentions_of(posted) == []
    assert set(links_of(posted)) == {"Acknowledge", "Incident"}
    assert not any("\x1b" in text or "\r" in text for text in texts_of(posted))


def test_slack_address_cannot_end_its_link(slack, sender, message):
    """A runbook with `>` or `|` stays one link to one address."""
    runbook = "https://runbooks.example.org/a|b>c <!channel>"
    sender.send(message(incident={"id": "INC-1", "severity": "SEV2", "title": "x", "runbook": runbook}), NOW)
    posted = slack.expect_message()
    assert mentions_of(posted) == []
    assert links_of(posted)["Runbook"] == "https://runbooks.example.org/a%7Cb%3Ec%20%3C!channel%3E"


def test_slack_cuts_what_is_too_long(slack, sender, message):
    """Long texts are cut below the limits, also where escaping makes them longer."""
    incident = {"id": "INC-1", "severity": "SEV1", "title": "&" * 5000, "identity": {"service": "<" * 9000}}
    sender.send(message(incident=incident, text="<" * 90_000), NOW)
    assert slack.expect_message()["blocks"][0]["text"]["text"].endswith("&amp;…")


@pytest.mark.parametrize("text", ["", "a", "<>&", "a<b" * 40, "€" * 100])
@pytest.mark.parametrize("most", [1, 5, 20, 100])
def test_slack_escape_never_passes_its_limit(text, most):
    """Nor does it cut an escape in two."""
    escaped = escape(text, most)
    assert len(escaped) <= most
    assert escaped.count("&") == escaped.count(";")


@pytest.mark.parametrize(
    ("answer", "permanent", "reason"),
    [
        (Answer(400, body=b"invalid_payload"), True, "invalid_payload"),
        (Answer(403, body=b"action_prohibited"), True, "action_prohibited"),
        (Answer(404, body=b"no_service"), True, "no_service"),
        (Answer(410, body=b"channel_is_archived"), True, "channel_is_archived"),
        (Answer(200, body=b"no_service"), True, "no_service"),
        (Answer(429, {"Retry-After": "30"}, b"rate_limited"), False, "429"),
        (Answer(500, body=b"rollup_error"), False, "rollup_error"),
        (Answer(302, {"Location": "http://127.0.0.1:1/"}), True, "redirects are not followed"),
        (CLOSE, False, "closed the connection"),
        (HANG, False, "no answer"),
        (DRIP, False, "no answer"),
    ],
)
def test_slack_error_says_whether_trying_again_can_help(slack, sender, message, answer, permanent, reason):
    """By the status, and by Slack's own words; within the time-outs."""
    slack.script(answer, path=PATH)
    error = fails(sender_to(slack, 0.5) if answer in (HANG, DRIP) else sender, message())
    assert (error.permanent, reason in error.reason) == (permanent, True)
    assert error.retry_after == (30.0 if "429" in reason else None)
    assert "SECRET" not in error.reason
    for posted in slack.unclaimed():
        posted.claimed = True  # answered 200, and refused all the same


def test_slack_provider_is_its_host(slack, sender):
    """What shares a host shares a limit."""
    assert sender.provider == f"127.0.0.1:{slack.port}"
