"""The `slack` channel: an incoming webhook, with Block Kit. What comes from alerts can neither mention nor link.

A message cannot be changed or taken back once it is posted, so each says by itself what it is about.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from incidents.oncall import Channel
from workers.channels.answers import receipt_of
from workers.channels.errors import DeliveryError
from workers.channels.http import HttpClient, shared_client
from workers.channels.message import Message, MessageType, Receipt
from workers.channels.options import Options

MAX_HEADER = 150
MAX_SECTION = 3000
MAX_FIELD = 2000
MAX_FALLBACK = 1000

_HEADINGS = {
    MessageType.PAGE: "Page",
    MessageType.PAGE_ACKNOWLEDGED: "Acknowledged",
    MessageType.PAGE_RESOLVED: "Over",
    MessageType.ANNOUNCEMENT: "",
}
# Slack answers these words also with statuses that would mean something else elsewhere.
_PERMANENT = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_blocks",
        "invalid_payload",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "no_text",
        "team_disabled",
        "user_not_found",
    }
)
_encoder = msgspec.json.Encoder()


class SlackSender:
    """Posts to the incoming webhook of `webhook_url` (`webhook_url_file`)."""

    def __init__(self, channel: Channel, client: HttpClient | None = None) -> None:
        self._options = Options(channel)
        self._client = client or shared_client()

    @property
    def provider(self) -> str:
        """The host and port that the channel posts to."""
        return self._options.provider("webhook_url")

    def send(self, message: Message, now: datetime) -> Receipt:
        """Post one message; raises DeliveryError."""
        del now
        url = self._options.url("webhook_url")
        body = _encoder.encode(payload_of(message))
        answer = self._client.post(url, body, {"Content-Type": "application/json; charset=utf-8"})
        if answer.text in _PERMANENT:
            raise DeliveryError(f"answered {answer.status}: {answer.text}", permanent=True)
        return receipt_of(answer)


def payload_of(message: Message) -> dict[str, Any]:
    """Return a message as the JSON of an incoming webhook; `text` is what notifications and old clients show."""
    return {
        "text": escape(message.text, MAX_FALLBACK),
        "blocks": _blocks(message),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _blocks(message: Message) -> list[dict[str, Any]]:
    heading = " ".join(part for part in (_HEADINGS[message.type], message.subject) if part)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": escape(heading, MAX_HEADER) or "-", "emoji": False}},
        {"type": "section", "text": _mrkdwn(escape(message.text, MAX_SECTION) or "-")},
    ]
    fields = _fields(message)
    if fields:
        blocks.append({"type": "section", "fields": fields})
    links = _links(message)
    if links:
        blocks.append({"type": "section", "text": _mrkdwn(" · ".join(links))})
    blocks.append({"type": "context", "elements": [_mrkdwn(escape(_context(message), MAX_FIELD))]})
    return blocks


def _fields(message: Message) -> list[dict[str, Any]]:
    incident = message.incident
    identity = incident.get("identity") or {}
    alerts = incident.get("alerts") or {}
    shown = {
        "Status": incident.get("status"),
        "Severity": incident.get("severity"),
        "What": ", ".join(f"{name}={value}" for name, value in identity.items()),
        "Criterion": incident.get("criterion"),
        "Alerts firing": alerts.get("firing"),
        "Paged": f"{message.person} ({message.role})" if message.role else message.person,
    }
    if message.type is MessageType.ANNOUNCEMENT:
        shown.pop("Paged")
    return [_mrkdwn(f"*{name}*\n{escape(str(value), MAX_FIELD - 50)}") for name, value in shown.items() if value]


def _links(message: Message) -> list[str]:
    """Only our own addresses are links; a runbook is foreign, and links only where it is an address of the web."""
    wanted = [("Incident", message.incident_url), ("Runbook", str(message.incident.get("runbook") or ""))]
    if message.type is MessageType.PAGE:
        wanted.insert(0, ("Acknowledge", message.acknowledge_url))
    return [f"<{_address(url)}|{name}>" for name, url in wanted if url.startswith(("https://", "http://"))]


def _context(message: Message) -> str:
    incident = message.incident.get("id", "")
    if message.type is not MessageType.PAGE:
        return f"{incident} {message.page_id}"
    repeat = ", a repeat" if message.repeat else ""
    return f"{incident}, step {message.step} of round {message.round}{repeat}, {message.page_id}"


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}  # verbatim: what looks like a link or a name is none


def escape(text: str, most: int) -> str:
    """Return foreign text that Slack shows as it stands, at most so long once escaped.

    Mentions (`<!channel>`), links and names of people need an open `<`, and lose it; control characters go.
    """
    clean = "".join(one if one.isprintable() or one == "\n" else " " for one in text)
    found: list[str] = []
    length = 0
    for character in clean:
        escaped = _ESCAPED.get(character, character)
        length += len(escaped)
        if length > most:
            # Room for the mark that something is missing.
            while found and length > most - 1:
                length -= len(found.pop())
            return "".join(found) + "…"
        found.append(escaped)
    return "".join(found)


_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _address(url: str) -> str:
    """Return an address in which nothing ends the link before its end."""
    return quote(url, safe="/:?=%#@!$'()*+,;~-._[]&").replace("&", "&amp;")[: MAX_FIELD // 2]
