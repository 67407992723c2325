"""What a channel delivers: the fields of a page as a `webhook` posts them. A wire format; other channels render it."""

from enum import StrEnum
from typing import Any

import msgspec

from incidents.values import PageReason


class MessageType(StrEnum):
    """Whether somebody is paged, told that it is over, or a provider told that somebody is on it."""

    PAGE = "page"
    PAGE_ACKNOWLEDGED = "page_acknowledged"  # for providers that page on their own: PagerDuty
    PAGE_RESOLVED = "page_resolved"
    ANNOUNCEMENT = "announcement"  # tells a channel, and expects nothing


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One page to one person, ready to be sent; `dedup_key` is the same over all attempts, steps and rounds."""

    type: MessageType = MessageType.PAGE
    page_id: str
    dedup_key: str
    incident: dict[str, Any]  # as in the API
    incidents: tuple[dict[str, Any], ...] = ()  # of a bundle: all of them
    person: str
    role: str | None = None
    step: int = 1
    round: int = 1
    attempt: int = 1
    repeat: bool = False  # the provider may have taken an earlier attempt
    reason: PageReason
    text: str
    acknowledge_url: str = ""
    incident_url: str = ""

    @property
    def subject(self) -> str:
        """Severity and title of the incident, of a bundle those of the gravest; empty where the message bears none."""
        bundle = self.incidents or (self.incident,)
        gravest = min(bundle, key=lambda incident: str(incident.get("severity", "")))
        title = " ".join(str(gravest[name]) for name in ("severity", "title") if gravest.get(name))
        return f"{title} (and {len(bundle) - 1} more)" if title and len(bundle) > 1 else title


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A channel took the message; `answer` is a short text for people (`200 OK`).

    `provider_id` is what the provider calls what it took, where it says so: its people find it by that.
    """

    answer: str = ""
    provider_id: str = ""
