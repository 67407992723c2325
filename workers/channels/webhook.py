"""The `webhook` channel: posts each message as JSON, signed by Standard Webhooks where the channel has a secret."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

import msgspec

from incidents.oncall import Channel
from workers.channels.answers import receipt_of
from workers.channels.http import HttpClient, shared_client
from workers.channels.message import Message, MessageType, Receipt
from workers.channels.options import Options

_encoder = msgspec.json.Encoder()


class WebhookSender:
    """Posts messages to the `url` (or the content of `url_file`) of a channel, signed with `secret` (`secret_file`)."""

    def __init__(self, channel: Channel, client: HttpClient | None = None) -> None:
        self._options = Options(channel)
        self._client = client or shared_client()

    @property
    def provider(self) -> str:
        """The host and port that the channel posts to; the channel's own name where that cannot be read."""
        return self._options.provider("url")

    def send(self, message: Message, now: datetime) -> Receipt:
        """Post one message; raises DeliveryError."""
        body = _encoder.encode(message)
        headers = {"Content-Type": "application/json"}
        secret = self._options.text("secret")
        if secret:
            headers |= sign(_webhook_id(message), body, secret=self._key(secret), now=now)
        return receipt_of(self._client.post(self._options.url("url"), body, headers))

    def _key(self, secret: str) -> bytes:
        try:
            return key_of(secret)
        except ValueError as error:
            raise self._options.refuse(str(error)) from error


# ---------------------------------------------------------------------------------------------------- Standard Webhooks


def sign(webhook_id: str, body: bytes, *, secret: bytes, now: datetime) -> dict[str, str]:
    """Return the three headers of Standard Webhooks for a body."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def key_of(secret: str) -> bytes:
    """Return the key of a secret: `whsec_` and base64, or any text as it stands; raises ValueError."""
    scheme, prefix, encoded = secret.partition("whsec_")
    if scheme or not prefix:
        return secret.encode()
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        raise ValueError("its secret begins with whsec_, and what follows is not base64") from None


def _webhook_id(message: Message) -> str:
    """Return an id that all attempts share, so that a repeat is told from a new page, and the end from the page."""
    return message.page_id if message.type is MessageType.PAGE else f"{message.page_id}-over"
