import io
from datetime import UTC, datetime

import msgspec
import pytest

from incidents.oncall import Channel
from workers.channels import DeliveryError, MessageType, sender_for
from workers.channels.console import ConsoleSender

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


class Closed(io.StringIO):
    """A stream whose other end has gone."""

    def write(self, _text):
        raise BrokenPipeError(32, "Broken pipe")


def test_channel_of_an_unknown_kind_is_refused_for_good():
    """The error names the channel, its kind and what there is."""
    with pytest.raises(
        DeliveryError, match=r"'amira/1'.*'pigeon'.*apprise, console, pagerduty, slack, webhook"
    ) as caught:
        sender_for(Channel(name="amira/1", kind="pigeon"))
    assert caught.value.permanent


def test_message_is_what_the_documentation_says(message):
    """The JSON of a page has exactly the documented fields."""
    fields = msgspec.json.decode(msgspec.json.encode(message()))
    assert list(fields) == [
        "type", "page_id", "dedup_key", "incident", "incidents", "person", "role", "step", "round", "attempt",
        "repeat", "reason", "text", "acknowledge_url", "incident_url",
    ]  # fmt: skip
    assert fields["type"] == "page"
    assert fields["reason"] == "declared"


def test_console_prints_a_block_in_one_write(message):
    """Who is paged, why, the text and where to acknowledge."""
    stream = io.StringIO()
    receipt = ConsoleSender(stream).send(message(text="first\nsecond", incident_url="http://t/incidents/1"), NOW)
    printed = stream.getvalue()
    assert receipt.answer == "printed"
    assert "PAGE for amira (incident_commander), 03:00:00 UTC: declared, step 1, round 1\n| first\n| second" in printed
    assert "acknowledge: tocsin incidents acknowledge INC-2026-0001" in printed
    assert "|              http://t/incidents/1\n" in printed


def test_console_marks_repeats_and_the_end(message):
    """A repeat says so; what is over asks for no acknowledgement."""
    stream = io.StringIO()
    ConsoleSender(stream).send(message(repeat=True), NOW)
    ConsoleSender(stream).send(message(type=MessageType.PAGE_RESOLVED), NOW)
    repeat, over = stream.getvalue().split("\n\n")
    assert "a repeat" in repeat
    assert "OVER for amira" in over
    assert "acknowledge" not in over


def test_console_takes_control_characters_out(message):
    """The text of an alert may not command the terminal."""
    stream = io.StringIO()
    ConsoleSender(stream).send(message(text="\x1b[2Jgone\x07 \u202e"), NOW)
    assert "\x1b" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()


def test_console_prints_on_a_terminal_that_knows_ascii_alone(message):
    """What the terminal cannot show is escaped, never an error."""
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="ascii")
    ConsoleSender(terminal).send(message(text="Störung \ud800"), NOW)
    assert rb"St\xf6rung" in raw.getvalue()


def test_console_that_is_closed_is_an_error(message):
    """A page that was not printed is not called delivered."""
    with pytest.raises(DeliveryError, match="cannot be written to") as caught:
        ConsoleSender(Closed()).send(message(), NOW)
    assert caught.value.permanent


def test_console_leads_a_test_page_to_its_link_alone(message):
    """A test is about no incident: no command knows its id, and its link is how it is acknowledged."""
    stream = io.StringIO()
    ConsoleSender(stream).send(message(incident={"id": "TEST-0123456789abcdef"}, acknowledge_url="http://t/ack/x"), NOW)
    assert "acknowledge: http://t/ack/x" in stream.getvalue()
    assert "tocsin incidents" not in stream.getvalue()


def test_message_of_a_bundle_is_called_by_its_gravest(message):
    """What a lock screen or a subject shows is what matters most."""
    minor, grave = {"severity": "SEV3", "title": "slow"}, {"severity": "SEV1", "title": "data lost"}
    assert message(incident=minor, incidents=(minor, grave)).subject == "SEV1 data lost (and 1 more)"
    assert message(incident=minor, incidents=(minor,)).subject == "SEV3 slow"
    assert message(incident={"id": "NOTICE-x"}).subject == ""
