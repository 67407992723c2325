"""A stand-in for an ntfy server: takes messages to its topics as ntfy documents them, and answers in its words."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from page_sink import Answer, PageSink, Received

TOPIC = "amira-s3cret"


class NtfyLookAlike(PageSink):
    """Takes a JSON message at `/`, with a topic."""

    @property
    def ntfy_url(self) -> str:
        """The address that Apprise has for it."""
        return f"ntfy://127.0.0.1:{self.port}/{TOPIC}"

    def answer_to(self, received: Received) -> Answer:
        try:
            message = json.loads(received.body)
        except ValueError:
            return _says(400, code=40024, error="invalid request: body must be valid JSON")
        if not message.get("topic") or not isinstance(message.get("message"), str):
            return _says(400, code=40009, error="invalid request: topic invalid")
        if len(message["message"].encode()) > 16_000:
            return _says(413, code=41301, error="attachment too large")
        return _says(200, id="sPs71M8A2T", time=1, event="message", topic=message["topic"], message=message["message"])

    def expect_message(self, *, timeout: float = 60.0) -> dict[str, Any]:
        """Claim a message that was taken, and return it."""
        return self.claim(lambda one: True, timeout=timeout, what="a message").json


def _says(status: int, **body: Any) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(body).encode())


@pytest.fixture
def ntfy() -> Iterator[NtfyLookAlike]:
    """An ntfy server of this test alone."""
    look_alike = NtfyLookAlike()
    try:
        yield look_alike
        look_alike.assert_all_claimed()
    finally:
        look_alike.close()
