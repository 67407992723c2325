"""A stand-in for Slack's incoming webhooks: holds each message against the documented limits of Block Kit."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from page_sink import Answer, PageSink, Received

PATH = "/services/T000/B000/SECRET"
_MENTION = re.compile(r"<[!@#][^>]*>")
_LINK = re.compile(r"<(https?://[^|>]*)\|([^>]*)>")


class SlackLookAlike(PageSink):
    """Answers as Slack: `ok`, or a word for what is wrong."""

    @property
    def webhook_url(self) -> str:
        return self.url_for(PATH)

    def answer_to(self, received: Received) -> Answer:
        if received.path != PATH:
            return Answer(404, body=b"no_service")
        try:
            message = json.loads(received.body)
        except ValueError:
            return Answer(400, body=b"invalid_payload")
        if not message.get("text") and not message.get("blocks"):
            return Answer(400, body=b"no_text")
        return Answer(400, body=b"invalid_blocks") if list(problems_of(message)) else Answer(200, body=b"ok")

    def expect_message(self, *, timeout: float = 60.0, containing: str = "") -> dict[str, Any]:
        """Claim a posted message with this text anywhere in it, and return it."""
        return self.claim(
            lambda one: containing in one.body.decode(), timeout=timeout, what=f"a message with {containing!r}"
        ).json


def problems_of(message: dict[str, Any]) -> Iterator[str]:
    """What Slack's limits hold against a message."""
    blocks = message.get("blocks", [])
    if len(blocks) > 50:
        yield "more than 50 blocks"
    for block in blocks:
        yield from _BLOCKS.get(block["type"], lambda block: [f"an unknown block {block['type']}"])(block)
    if len(json.dumps(blocks)) > 13_000:
        yield "msg_blocks_too_long"


def _header_problems(block: dict[str, Any]) -> Iterator[str]:
    yield from _text_problems(block["text"], 150, ("plain_text",))


def _section_problems(block: dict[str, Any]) -> Iterator[str]:
    if "text" in block:
        yield from _text_problems(block["text"], 3000, ("plain_text", "mrkdwn"))
    if "text" not in block and not block.get("fields"):
        yield "an empty section"
    if len(block.get("fields", [])) > 10:
        yield "more than 10 fields"
    for field in block.get("fields", []):
        yield from _text_problems(field, 2000, ("plain_text", "mrkdwn"))


def _context_problems(block: dict[str, Any]) -> Iterator[str]:
    if not 0 < len(block["elements"]) <= 10:
        yield "a context holds 1 to 10 elements"
    for element in block["elements"]:
        yield from _text_problems(element, 3000, ("plain_text", "mrkdwn"))


_BLOCKS = {"header": _header_problems, "section": _section_problems, "context": _context_problems}


def _text_problems(text: dict[str, Any], most: int, kinds: tuple[str, ...]) -> Iterator[str]:
    if text["type"] not in kinds or not 0 < len(text["text"]) <= most:
        yield "a text of a wrong type or length"
    allowed = {"type", "text", "emoji"} if text["type"] == "plain_text" else {"type", "text", "verbatim"}
    yield from (f"unknown field {name}" for name in text.keys() - allowed)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a message."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_of(inner)


def mentions_of(message: dict[str, Any]) -> list[str]:
    """Whom the message would notify."""
    return [found for text in texts_of(message) for found in _MENTION.findall(text)]


def links_of(message: dict[str, Any]) -> dict[str, str]:
    """What the message links, by what it shows."""
    return {shown: url for text in texts_of(message) for url, shown in _LINK.findall(text)}


@pytest.fixture
def slack() -> Iterator[SlackLookAlike]:
    """A Slack of this test alone."""
    look_alike = SlackLookAlike()
    try:
        yield look_alike
        look_alike.assert_all_claimed()
    finally:
        look_alike.close()
