"""The `webhook` channel: posts each message as JSON, signed by Standard Webhooks where the channel has a secret."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from incidents.oncall import Channel
from workers.channels.errors import DeliveryError
from workers.channels.http import Answer, HttpClient, shared_client
from workers.channels.message import Message, MessageType, Receipt
from workers.retries import Verdict, verdict

_encoder = msgspec.json.Encoder()


class WebhookSender:
    """Posts messages to the `url` (or the content of `url_file`) of a channel, signed with `secret` (`secret_file`)."""

    def __init__(self, channel: Channel, client: HttpClient | None = None) -> None:
        self._channel = channel
        self._client = client or shared_client()

    @property
    def provider(self) -> str:
        """The host and port that the channel posts to; the channel's own name where that cannot be read."""
        try:
            return urlsplit(self._url()).netloc.rpartition("@")[2]
        except DeliveryError:
            return f"webhook:{self._channel.name}"

    def send(self, message: Message, now: datetime) -> Receipt:
        """Post one message; raises DeliveryError. Files are read each time, so a rotated secret is used at once."""
        body = _encoder.encode(message)
        headers = {"Content-Type": "application/json"}
        secret = self._option("secret")
        if secret:
            headers |= sign(_webhook_id(message), body, secret=self._key(secret), now=now)
        return _receipt(self._client.post(self._url(), body, headers))

    def _url(self) -> str:
        url = self._option("url")
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable:
            raise self._refuse("its url is not an http or https address: mend `url` or the content of `url_file`")
        return url

    def _key(self, secret: str) -> bytes:
        try:
            return key_of(secret)
        except ValueError as error:
            raise self._refuse(str(error)) from error

    def _option(self, name: str) -> str:
        """Return an option, or the content of the file that `NAME_file` names; empty where neither is given."""
        path = self._channel.options.get(f"{name}_file")
        if not path:
            return str(self._channel.options.get(name, ""))
        try:
            content = Path(str(path)).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            detail = getattr(error, "strerror", None) or "it is not text"
            raise self._refuse(f"its `{name}_file` {str(path)!r} cannot be read: {detail}") from error
        if not content:
            raise self._refuse(f"its `{name}_file` {str(path)!r} is empty")
        return content

    def _refuse(self, what: str) -> DeliveryError:
        return DeliveryError(f"channel {self._channel.name!r}: {what}", permanent=True)


def _receipt(answer: Answer) -> Receipt:
    judged = verdict(answer.status_code)
    if judged is Verdict.ACCEPTED:
        return Receipt(answer=answer.status)
    reason = f"answered {answer.status}" + (f": {answer.text}" if answer.text else "")
    if 300 <= answer.status_code < 400:
        reason = f"answered {answer.status}; redirects are not followed: put the final address into the channel"
    raise DeliveryError(reason, permanent=judged is Verdict.PERMANENT, retry_after=answer.retry_after)


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
