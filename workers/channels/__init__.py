"""Channels: how a message reaches somebody. One module a kind; each says by its errors whether trying again can help.

They send and return: what is tried when, and what is recorded, is decided elsewhere.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from incidents.oncall import Channel
from workers.channels.apprise import AppriseSender
from workers.channels.console import ConsoleSender
from workers.channels.errors import DeliveryError
from workers.channels.http import shared_client
from workers.channels.message import Message, MessageType, Receipt
from workers.channels.pagerduty import PagerDutySender
from workers.channels.slack import SlackSender
from workers.channels.webhook import WebhookSender

__all__ = ["DeliveryError", "Message", "MessageType", "Receipt", "Sender", "Senders", "sender_for"]


class Sender(Protocol):
    """Sends messages over one channel."""

    @property
    def provider(self) -> str:
        """Whom the channel depends on: what shares a provider can hang together."""

    def send(self, message: Message, now: datetime) -> Receipt:
        """Deliver one message, within seconds; raises DeliveryError."""


class Senders:
    """Makes the senders of channels; with `deny_private` none of them connects to a private address."""

    def __init__(self, *, deny_private: bool = False) -> None:
        self._deny_private = deny_private

    def __call__(self, channel: Channel) -> Sender:
        """Return the sender of a channel (cheap to make: connections are shared); raises DeliveryError."""
        make = _SENDERS.get(channel.kind)
        if make is None:
            known = ", ".join(sorted(_SENDERS))
            raise DeliveryError(
                f"channel {channel.name!r}: this version cannot send over {channel.kind!r}; use one of: {known}",
                permanent=True,
            )
        return make(channel, self._deny_private)


_SENDERS: dict[str, Callable[[Channel, bool], Sender]] = {
    "apprise": lambda channel, deny: AppriseSender(channel, deny_private=deny),
    "console": lambda channel, _: ConsoleSender(),  # noqa: ARG005 (it has no options)
    "pagerduty": lambda channel, deny: PagerDutySender(channel, shared_client(deny_private=deny)),
    "slack": lambda channel, deny: SlackSender(channel, shared_client(deny_private=deny)),
    "webhook": lambda channel, deny: WebhookSender(channel, shared_client(deny_private=deny)),
}

sender_for = Senders()
