"""Channels: how a message reaches somebody. One module a kind; each says by its errors whether trying again can help.

They send and return: what is tried when, and what is recorded, is decided elsewhere.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from incidents.oncall import Channel
from workers.channels.console import ConsoleSender
from workers.channels.errors import DeliveryError
from workers.channels.message import Message, MessageType, Receipt
from workers.channels.webhook import WebhookSender

__all__ = ["DeliveryError", "Message", "MessageType", "Receipt", "Sender", "sender_for"]


class Sender(Protocol):
    """Sends messages over one channel."""

    @property
    def provider(self) -> str:
        """Whom the channel depends on: what shares a provider can hang together."""

    def send(self, message: Message, now: datetime) -> Receipt:
        """Deliver one message, within seconds; raises DeliveryError."""


_SENDERS: dict[str, Callable[[Channel], Sender]] = {
    "console": lambda channel: ConsoleSender(),  # noqa: ARG005 (it has no options)
    "webhook": WebhookSender,
}


def sender_for(channel: Channel) -> Sender:
    """Return the sender of a channel (cheap to make: connections are shared); raises DeliveryError."""
    make = _SENDERS.get(channel.kind)
    if make is None:
        known = ", ".join(sorted(_SENDERS))
        raise DeliveryError(
            f"channel {channel.name!r}: this version cannot send over {channel.kind!r}; use one of: {known}",
            permanent=True,
        )
    return make(channel)
