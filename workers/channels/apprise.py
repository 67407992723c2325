"""The `apprise` channel: e-mail, ntfy, SMS and the others, by the address that Apprise has for them.

Apprise says only whether a message went out; what went wrong is read from what it logs meanwhile. Each attempt runs on
a thread of its own, is left behind when it takes too long, and logs nothing outside: the lines hold whole messages.
"""

import re
import threading
from datetime import datetime
from functools import cache
from urllib.parse import urlsplit

from apprise import Apprise, AppriseAsset, NotifyBase

from incidents.oncall import Channel
from rules.loading.channels import LOCAL_SERVICES
from workers.channels.apprise_logs import Overheard, overhear, reason_of, silence
from workers.channels.errors import DeliveryError
from workers.channels.guard import guarded
from workers.channels.http import one_line
from workers.channels.message import Message, MessageType, Receipt
from workers.channels.options import Options

SECONDS = 8.0  # for one attempt; the claim of a page holds for longer
MOST_LEFT_BEHIND = 8
MAX_TITLE = 200
MAX_BODY = 4000

_MENTION = re.compile(r"@(?=(?:everyone|here|channel|all|room)\b)", re.IGNORECASE)
_TOPIC_FIRST = frozenset({"ntfy", "ntfys"})
_HOSTED = _TOPIC_FIRST | {
    f"{scheme}{secure}"
    for scheme in ("mailto", "json", "xml", "form", "gotify", "matrix", "mmost", "rocket", "apprise", "mqtt", "xmpp")
    for secure in ("", "s")
}
_HEADINGS = {
    MessageType.PAGE: "",
    MessageType.PAGE_ACKNOWLEDGED: "Acknowledged: ",
    MessageType.PAGE_RESOLVED: "Over: ",
    MessageType.ANNOUNCEMENT: "",
}


class AppriseSender:
    """Sends over the service that `url` (or the content of `url_file`) names."""

    def __init__(self, channel: Channel, *, deny_private: bool = False, seconds: float = SECONDS) -> None:
        self._options = Options(channel)
        self._name = channel.name
        self._deny_private = deny_private
        self._seconds = seconds

    @property
    def provider(self) -> str:
        """The service and its host, without what is secret in the address."""
        try:
            return provider_of(self._options.text("url"))
        except (DeliveryError, ValueError):
            return f"apprise:{self._name}"

    def send(self, message: Message, now: datetime) -> Receipt:
        """Send one message; raises DeliveryError."""
        del now
        url = self._options.text("url")
        attempt = _Attempt(self._service(url), title_of(message), body_of(message), deny_private=self._deny_private)
        if not _RUNNING.begin():
            raise DeliveryError("too many earlier attempts through Apprise still hang", permanent=False)
        attempt.start()
        attempt.join(self._seconds)
        if attempt.is_alive():
            reason = f"no answer within {self._seconds:g} s over {self.provider}"
            raise DeliveryError(reason, permanent=False, unanswered=True)
        if not attempt.taken:
            raise reason_of(attempt.heard, url, self.provider)
        return Receipt(answer=f"taken over {self.provider}")

    def _service(self, url: str) -> NotifyBase:
        scheme = url.partition("://")[0].lower()
        if scheme in LOCAL_SERVICES:
            raise self._options.refuse(f"{scheme}:// reaches only who sits at this machine: use another service")
        silence()
        service = Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
        if not isinstance(service, NotifyBase):
            raise self._options.refuse("its url is not one that Apprise understands: mend `url` or its file")
        # Ours decide about time and tries.
        service.retry = 0
        service.socket_connect_timeout = min(service.socket_connect_timeout, self._seconds / 2)
        service.socket_read_timeout = min(service.socket_read_timeout, self._seconds / 2)
        return service


class _Attempt(threading.Thread):
    """One attempt, on a daemon thread: a service that hangs cannot hold up the end of the process."""

    def __init__(self, service: NotifyBase, title: str, body: str, *, deny_private: bool) -> None:
        super().__init__(name="page-apprise", daemon=True)
        self._service, self._title, self._body = service, title, body
        self._deny_private = deny_private
        self.heard = Overheard()
        self.taken = False

    def run(self) -> None:
        try:
            with guarded(deny_private=self._deny_private), overhear(self.heard):
                self.taken = bool(self._service.notify(body=self._body, title=self._title, body_format="text"))
        except Exception as error:  # noqa: BLE001 - the boundary of foreign code: any of its faults is a failed attempt
            self.heard.add(f"{type(error).__name__}")
        finally:
            _RUNNING.end()


class _Running:
    """How many attempts run now, those that were left behind among them."""

    def __init__(self, most: int) -> None:
        self._slots = threading.BoundedSemaphore(most)

    def begin(self) -> bool:
        return self._slots.acquire(blocking=False)

    def end(self) -> None:
        self._slots.release()


_RUNNING = _Running(32 + MOST_LEFT_BEHIND)


@cache
def _asset() -> AppriseAsset:
    return AppriseAsset(
        app_id="Tocsin", app_desc="Tocsin", async_mode=False, http_redirects=False, storage_mode="memory"
    )


def provider_of(url: str) -> str:
    """Return the service of an address with its host, where that is one and not a secret; raises ValueError."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    # `ntfy://topic` names a topic where others have their host.
    has_host = scheme in _HOSTED and (parts.path.strip("/") or scheme not in _TOPIC_FIRST)
    return f"{scheme}:{parts.hostname}" if has_host and parts.hostname else scheme


def title_of(message: Message) -> str:
    """Return a title: one line, for it becomes the subject of an e-mail or a header."""
    return _harmless(one_line(_HEADINGS[message.type] + (message.subject or message.text), MAX_TITLE))


def body_of(message: Message) -> str:
    """Return the text with its links; nothing in it mentions everybody in a chat."""
    text = "".join(one if one.isprintable() or one == "\n" else " " for one in message.text)
    lines = [_harmless(text)[:MAX_BODY]]
    if message.type is MessageType.PAGE and message.acknowledge_url:
        lines += ["", f"Acknowledge: {message.acknowledge_url}"]
    if message.incident_url:
        lines.append(f"Incident: {message.incident_url}")
    return "\n".join(lines)


def _harmless(text: str) -> str:
    """A zero-width space takes the meaning from `@everyone`, and from the mentions of Slack and Discord."""
    return _MENTION.sub("@\u200b", text).replace("<!", "<\u200b!").replace("<@", "<\u200b@")
