"""The `pagerduty` channel: Events API v2. One alert in PagerDuty stands for one incident, under its dedup key.

A page triggers it, an acknowledgement and the end here are sent on; what is done there comes back over its webhooks.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from incidents.oncall import Channel
from workers.channels.answers import receipt_of
from workers.channels.errors import DeliveryError
from workers.channels.http import Answer, HttpClient, one_line, shared_client
from workers.channels.message import Message, MessageType, Receipt
from workers.channels.options import Options

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
MAX_SUMMARY = 1024
MAX_KEY = 255
MAX_BODY = 500_000  # PagerDuty takes 512 KB

_ACTIONS = {
    MessageType.PAGE: "trigger",
    MessageType.PAGE_ACKNOWLEDGED: "acknowledge",
    MessageType.PAGE_RESOLVED: "resolve",
}
_SEVERITIES = {"SEV1": "critical", "SEV2": "error", "SEV3": "warning", "SEV4": "info"}
_DETAILS = ("id", "severity", "status", "criterion", "rule", "team", "identity", "alerts", "summary", "runbook")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, Any])


class PagerDutySender:
    """Sends events to the integration of `routing_key` (`routing_key_file`), at PagerDuty or at an `url` instead."""

    def __init__(self, channel: Channel, client: HttpClient | None = None) -> None:
        self._channel = channel
        self._options = Options(channel)
        self._client = client or shared_client()

    @property
    def provider(self) -> str:
        """The host and port that the channel posts to."""
        return self._options.provider("url") if self._has_own_url else urlsplit(EVENTS_URL).netloc

    def send(self, message: Message, now: datetime) -> Receipt:
        """Send one event; raises DeliveryError. PagerDuty took it, which is not yet that it paged anybody."""
        del now
        url = self._options.url("url") if self._has_own_url else EVENTS_URL
        key = self._options.text("routing_key")
        if not key:
            raise self._options.refuse("it has no routing key")
        answer = self._client.post(url, _body(message, key), {"Content-Type": "application/json"})
        said = _reply(answer)
        text = _text(said).replace(key, "...") if said else answer.text.replace(key, "...")
        return receipt_of(answer, text=text, provider_id=one_line(str(said.get("dedup_key", "")), MAX_KEY))

    @property
    def _has_own_url(self) -> bool:
        return bool(self._channel.options.get("url") or self._channel.options.get("url_file"))


def event_of(message: Message, routing_key: str) -> dict[str, Any]:
    """Return a message as an event of the Events API v2; raises DeliveryError where PagerDuty has no word for it."""
    action = _ACTIONS.get(message.type)
    if action is None:
        raise DeliveryError("PagerDuty has no announcements: announce to another channel", permanent=True)
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": message.dedup_key[:MAX_KEY],
    }
    if action == "trigger":
        event |= {"payload": _payload(message), "links": _links(message), "client": "Tocsin"}
        if message.incident_url:
            event["client_url"] = message.incident_url
    return event


def _body(message: Message, routing_key: str) -> bytes:
    event = event_of(message, routing_key)
    body = _encoder.encode(event)
    if len(body) > MAX_BODY:
        event["payload"]["custom_details"] = {"left out": "the details are too large for PagerDuty; follow the link"}
        body = _encoder.encode(event)
    return body


def _payload(message: Message) -> dict[str, Any]:
    incident = message.incident
    payload = {
        "summary": one_line(message.text, MAX_SUMMARY),
        "source": _source(incident),
        "severity": _SEVERITIES.get(str(incident.get("severity")), "error"),
        "timestamp": incident.get("declared_at"),
        "component": _identity(incident).get("service"),
        "group": incident.get("team"),
        "class": incident.get("criterion"),
        "custom_details": _details(message),
    }
    return {name: value for name, value in payload.items() if value}


def _details(message: Message) -> dict[str, Any]:
    details = {name: message.incident.get(name) for name in _DETAILS}
    details |= {"reason": message.reason, "step": message.step, "round": message.round, "paged": message.person}
    if len(message.incidents) > 1:
        details["further incidents"] = [f"{one.get('id')}: {one.get('title')}" for one in message.incidents[1:]]
    return {name: value for name, value in details.items() if value not in (None, "", {}, [])}


def _links(message: Message) -> list[dict[str, str]]:
    """Only addresses of the web: a runbook is foreign text."""
    wanted = [
        (message.incident_url, f"{message.incident.get('id', 'The incident')} in Tocsin"),
        (str(message.incident.get("runbook") or ""), "Runbook"),
    ]
    return [{"href": href, "text": text} for href, text in wanted if href.startswith(("https://", "http://"))]


def _identity(incident: dict[str, Any]) -> dict[str, str]:
    identity = incident.get("identity")
    return identity if isinstance(identity, dict) else {}


def _source(incident: dict[str, Any]) -> str:
    named = ", ".join(f"{name}={value}" for name, value in _identity(incident).items())
    return one_line(named, MAX_SUMMARY) or "tocsin"


def _reply(answer: Answer) -> dict[str, Any]:
    try:
        return _decoder.decode(answer.content)
    except msgspec.DecodeError:
        return {}


def _text(said: dict[str, Any]) -> str:
    """Return what PagerDuty says is wrong: its message, and its list of errors."""
    errors = said.get("errors")
    listed = "; ".join(str(one) for one in errors) if isinstance(errors, list) else ""
    return one_line(": ".join(part for part in (str(said.get("message") or ""), listed) if part), 300)
