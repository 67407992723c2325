"""What Apprise logs during one attempt, and what that says of it. The lines hold secrets: none goes on as it is."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from workers.channels.errors import DeliveryError
from workers.channels.http import one_line
from workers.retries import Verdict, verdict

MOST_LINES = 200
_HTTP = re.compile(r"\berror[=: ]+([1-5]\d\d)(?:\d\d)?\b")  # ntfy has five digits, the first three of HTTP
_MAIL = re.compile(r"\((\d{3}), ?b?['\"]([^'\"]{0,120})|was refused: (\d{3}) (.{0,120})")
_UNANSWERED = re.compile(r"timed out|timeout|Read timed out|closed|disconnected|reset by peer", re.IGNORECASE)
_MAIL_SCHEMES = frozenset({"mailto", "mailtos"})
# Words that an error of the network has, and what they mean to people. The first that is found counts.
_NETWORK = (
    ("deny_private_urls", "the address is not one of the public internet, and deny_private_urls forbids those", True),
    ("There are no ", "its address names nobody to tell", True),
    ("CERTIFICATE_VERIFY_FAILED", "the certificate is not trusted", True),
    ("Name or service not known", "the name cannot be resolved", False),
    ("name resolution", "the name cannot be resolved", False),
    ("Connection refused", "cannot connect: Connection refused", False),
    ("No route to host", "cannot connect: No route to host", False),
    ("Network is unreachable", "cannot connect: Network is unreachable", False),
    ("Exceeded", "redirects are not followed: put the final address into the channel", True),
    ("SSL", "TLS failed", False),
    ("timed out", "no answer in time", False),
    ("Connection unexpectedly closed", "the server closed the connection", False),
    ("closed connection", "the server closed the connection", False),
    ("Connection aborted", "the server closed the connection", False),
    ("reset by peer", "the server closed the connection", False),
)


class Overheard:
    """The lines of one attempt."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Take a line, unless there are far too many."""
        if len(self.lines) < MOST_LINES:
            self.lines.append(line)


@contextmanager
def overhear(heard: Overheard) -> Iterator[None]:
    """Collect what Apprise logs on this thread."""
    handler = _handler()
    handler.of_thread[threading.get_ident()] = heard
    try:
        yield
    finally:
        handler.of_thread.pop(threading.get_ident(), None)


class _Handler(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.of_thread: dict[int, Overheard] = {}

    def emit(self, record: logging.LogRecord) -> None:
        heard = self.of_thread.get(record.thread or 0)
        if heard is not None:
            heard.add(record.getMessage()[:2000])


def silence() -> None:
    """Keep what Apprise logs from our own logs, from before its first line on."""
    _handler()


@cache
def _handler() -> _Handler:
    """Listen to Apprise, at its finest, and let nothing of that reach our own logs."""
    handler = _Handler()
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    return handler


def reason_of(heard: Overheard, url: str, provider: str) -> DeliveryError:
    """Return why an attempt failed, in words and without secrets, and whether trying again can help."""
    text = "\n".join(heard.lines)
    scheme = url.partition("://")[0].lower()
    if scheme in _MAIL_SCHEMES:
        refused = _refused_mail(text, provider, url)
        if refused is not None:
            return refused
    found = _HTTP.search(text)
    if found:
        return _answered(int(found[1]), provider)
    for word, meaning, permanent in _NETWORK:
        if word in text:
            return DeliveryError(
                f"{provider}: {meaning}", permanent=permanent, unanswered=bool(_UNANSWERED.search(word + meaning))
            )
    warning = scrub(heard.lines[0], url) if heard.lines else "no reason was given"
    return DeliveryError(f"{provider}: {warning}", permanent=False)


def _answered(status: int, provider: str) -> DeliveryError:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if 300 <= status < 400:
        phrase += "; redirects are not followed: put the final address into the channel"
    return DeliveryError(f"{provider} answered {phrase}", permanent=verdict(status) is Verdict.PERMANENT)


def _refused_mail(text: str, provider: str, url: str) -> DeliveryError | None:
    """A mail server says 4xx for "not now" and 5xx for "never"."""
    found = _MAIL.search(text)
    if not found:
        return None
    code = found[1] or found[3]
    said = scrub(found[2] or found[4] or "", url).strip("b'\"")
    return DeliveryError(f"{provider} refused it: {code} {said}".rstrip(), permanent=code.startswith("5"))


def scrub(line: str, url: str) -> str:
    """Return a line without what may be secret in an address: user, password, path and query, each part of them."""
    try:
        parts = urlsplit(url)
        secrets = {parts.username or "", parts.password or "", *re.split(r"[/?&=,;:@]", parts.path + "&" + parts.query)}
        secrets.add(parts.netloc.rpartition("@")[0])
    except ValueError:
        secrets = {url}
    for secret in sorted(secrets | {unquote(one) for one in secrets}, key=len, reverse=True):
        if len(secret) > 3:
            line = line.replace(secret, "...")
    return one_line(line, 200)
