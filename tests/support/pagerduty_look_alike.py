"""A stand-in for PagerDuty's Events API v2: holds events against the documented schema, and keeps alerts as it does.

It is a page sink: it can be told to be busy, slow or broken, and an event that no test claimed fails the test.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from page_sink import Answer, PageSink, Received

PATH = "/v2/enqueue"
KEY = "R0123456789abcdef0123456789abcde"
MAX_BODY = 512 * 1024
_TOP = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "images", "links"}
_PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")


class PagerDutyLookAlike(PageSink):
    """Answers as PagerDuty; `alerts` maps each dedup key to `triggered`, `acknowledged` or `resolved`."""

    def __init__(self, *, keys: tuple[str, ...] = (KEY,)) -> None:
        self.keys = keys
        self.alerts: dict[str, str] = {}
        self.triggers: dict[str, int] = {}
        super().__init__()

    @property
    def events_url(self) -> str:
        return self.url_for(PATH)

    def answer_to(self, received: Received) -> Answer:
        if received.path != PATH:
            return Answer(404, body=b"not found")
        if received.method != "POST" or not received.headers.get("content-type", "").startswith("application/json"):
            return Answer(400, body=b'{"status":"invalid","message":"Not JSON"}')
        try:
            event = json.loads(received.body)
        except ValueError:
            return _says(
                400, status="Unrecognized object", message="Event object is invalid", errors=["JSON parse error"]
            )
        errors = sorted(problems_of(event))
        if len(received.body) > MAX_BODY:
            return _says(413, status="too large")
        if not errors and event["routing_key"] not in self.keys:
            errors = ["Invalid routing key"]
        if errors:
            return _says(400, status="invalid event", message="Event object is invalid", errors=errors)
        self._happen(event)
        return _says(202, status="success", message="Event processed", dedup_key=event["dedup_key"])

    def expect_event(self, action: str, *, timeout: float = 60.0, **fields: Any) -> dict[str, Any]:
        """Claim an accepted event with this action and these fields, and return it."""

        def fits(one: Received) -> bool:
            event = one.json
            return event["event_action"] == action and all(event.get(name) == value for name, value in fields.items())

        return self.claim(fits, timeout=timeout, what=f"an event {action} with {fields}").json

    def _happen(self, event: dict[str, Any]) -> None:
        key, action = event["dedup_key"], event["event_action"]
        now = self.alerts.get(key)
        if action == "trigger":
            self.triggers[key] = self.triggers.get(key, 0) + 1
            self.alerts[key] = now if now in {"triggered", "acknowledged"} else "triggered"
        elif now in {"triggered", "acknowledged"}:  # without an open alert it is taken, and dropped
            self.alerts[key] = "acknowledged" if action == "acknowledge" else "resolved"


def problems_of(event: Any) -> Iterator[str]:
    """What the documented schema of the Events API v2 holds against an event."""
    if not isinstance(event, dict):
        yield "not an object"
        return
    yield from (f"unknown field {name}" for name in event.keys() - _TOP)
    if not isinstance(event.get("routing_key"), str) or len(event["routing_key"]) != 32:
        yield "'routing_key' must be 32 characters"
    action = event.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        yield "'event_action' is invalid"
    key = event.get("dedup_key")
    if not isinstance(key, str) or not 0 < len(key) <= 255:
        yield "'dedup_key' must be 1 to 255 characters"
    if action == "trigger":
        yield from _payload_problems(event.get("payload"))
    yield from _link_problems(event.get("links", []))
    if "client_url" in event and not str(event["client_url"]).startswith("http"):
        yield "'client_url' is no address"


def _payload_problems(payload: Any) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "'payload' is missing or blank"
        return
    yield from (f"unknown field payload.{name}" for name in payload.keys() - _PAYLOAD)
    summary = payload.get("summary")
    if not isinstance(summary, str) or not 0 < len(summary) <= 1024:
        yield "'payload.summary' must be 1 to 1024 characters"
    if not isinstance(payload.get("source"), str) or not payload["source"]:
        yield "'payload.source' is missing or blank"
    if payload.get("severity") not in ("critical", "error", "warning", "info"):
        yield "'payload.severity' is invalid"
    yield from (
        f"'payload.{name}' is not a text"
        for name in ("component", "group", "class")
        if not isinstance(payload.get(name, ""), str)
    )
    if "timestamp" in payload and not _TIME.fullmatch(str(payload["timestamp"])):
        yield "'payload.timestamp' is invalid"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' is not an object"


def _link_problems(links: Any) -> Iterator[str]:
    if not isinstance(links, list):
        yield "'links' is not a list"
        return
    for link in links:
        if not isinstance(link, dict) or not str(link.get("href", "")).startswith(("http://", "https://")):
            yield "a link without an address"


def _says(code: int, **body: Any) -> Answer:
    return Answer(code, {"Content-Type": "application/json"}, json.dumps(body).encode())


@pytest.fixture
def pagerduty() -> Iterator[PagerDutyLookAlike]:
    """A PagerDuty of this test alone."""
    look_alike = PagerDutyLookAlike()
    try:
        yield look_alike
        look_alike.assert_all_claimed()
    finally:
        look_alike.close()
