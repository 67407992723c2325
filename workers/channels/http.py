"""Posting over HTTP with hard bounds: kept-alive connections, no redirects, no proxies or passwords of the environment.

A name is resolved once for a connection, and the connection goes to the very address that was judged.
A peer that answers by drips is cut off at a deadline over the whole answer, which time-outs between bytes do not give.
The texts of errors never hold the path or query of a URL, since there lie the secrets.
"""

import http.client
from collections.abc import Mapping
from functools import cache, lru_cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec
import requests
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from workers.channels.addresses import PrivateAddress
from workers.channels.connections import ANSWER_SECONDS, CONNECT_SECONDS, BoundedAdapter, PublicAdapter
from workers.channels.errors import DeliveryError

ANSWER_BYTES = 64 * 1024

_POOL_HOSTS = 32
_POOL_CONNECTIONS = 4  # a host, as many as are in flight at once


@cache
def user_agent() -> str:
    """Return what we call ourselves to providers."""
    try:
        return f"Tocsin/{version('tocsin')}"
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "Tocsin"


@lru_cache(256)
def _address(url: str) -> str | None:
    """Return an address as it is asked for; raises what requests says of one that cannot be."""
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    return request.url


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider answered: the start of its body as one line of text, and the seconds of its `Retry-After`."""

    status_code: int
    text: str
    retry_after: float | None
    content: bytes = b""  # up to the bound, as it came
    request_id: str = ""  # by which the provider's people find the request
    etag: str = ""

    @property
    def status(self) -> str:
        """The status in words: `503 Service Unavailable`."""
        try:
            return f"{self.status_code} {HTTPStatus(self.status_code).phrase}"
        except ValueError:
            return str(self.status_code)


class HttpClient:
    """Posts from many threads over shared connections; each call is bounded in time and in bytes."""

    def __init__(
        self,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        answer_bytes: int = ANSWER_BYTES,
        deny_private: bool = False,
    ) -> None:
        self._answer_bytes = answer_bytes
        adapter = PublicAdapter if deny_private else BoundedAdapter
        self._adapter = adapter(pool_connections=_POOL_HOSTS, pool_maxsize=_POOL_CONNECTIONS)
        self._timeout = (connect_seconds, answer_seconds)

    def get(self, url: str, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
        """Get an address and return the answer, whatever its status; raises DeliveryError when there is none."""
        return self._ask("GET", url, None, headers)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body and return the answer, whatever its status; raises DeliveryError when there is none."""
        return self._ask("POST", url, body, headers)

    def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        request = requests.PreparedRequest()
        try:
            # What `prepare` does, but for what we never have, cookies and hooks, and with an address made ready once.
            request.prepare_method(method)
            request.url = _address(url)
            request.prepare_headers({"User-Agent": user_agent(), "Accept": "*/*", **headers})
            request.prepare_body(body, None)
            if "@" in url:  # it may bear a user and a password
                request.prepare_auth(None, url)
            # The adapter and not a session: no cookies, no redirects, no proxies, no .netrc.
            response = self._adapter.send(request, stream=True, timeout=self._timeout, verify=True, proxies={})
        except (requests.RequestException, ValueError) as error:
            raise _explain(error, urlsplit(url).hostname or "", self._timeout) from error
        try:
            content = _content_of(response, self._answer_bytes)
        finally:
            response.close()
        return Answer(
            status_code=response.status_code,
            text=_text_of(content, url),
            retry_after=_seconds(response.headers.get("Retry-After")),
            content=content,
            request_id=one_line(response.headers.get("X-Request-Id", ""), 80),
            etag=one_line(response.headers.get("ETag", ""), 200),
        )


@cache
def shared_client(*, deny_private: bool = False) -> HttpClient:
    """Return the client of this process."""
    return HttpClient(deny_private=deny_private)


def one_line(text: str, most: int) -> str:
    """Return a foreign text as one line of printable characters, at most so many."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[:most]


def _content_of(response: requests.Response, most: int) -> bytes:
    """Read the answer up to the bound; the status counts even where the body breaks off."""
    try:
        content: bytes = response.raw.read(most, decode_content=False)
    except (HTTPError, http.client.HTTPException, OSError):
        return b""
    return content


def _text_of(content: bytes, url: str) -> str:
    """Return the start of an answer, without what is secret in the address."""
    text = content[:1000].decode("utf-8", "replace")
    parts = urlsplit(url)
    for secret in (parts.path, parts.query):
        text = text.replace(secret, "...") if len(secret) > 1 else text
    return one_line(text, 200)


def _seconds(retry_after: str | None) -> float | None:
    """Return a `Retry-After` in seconds; one that is a date says nothing that our own back-off does not."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None


# -------------------------------------------------------------------------------------------------------------- errors


def _explain(error: Exception, host: str, timeout: tuple[float, float]) -> DeliveryError:
    """Return what went wrong in words, and whether trying again can help."""
    match error:
        case requests.exceptions.ConnectTimeout():
            return DeliveryError(f"no connection to {host} within {timeout[0]:g} s", permanent=False)
        case requests.exceptions.ReadTimeout():
            return DeliveryError(f"no answer from {host} within {timeout[1]:g} s", permanent=False, unanswered=True)
        case requests.exceptions.SSLError():
            failure = _certificate_failure(error)
            reason = f"the certificate of {host} is not trusted: {failure}" if failure else f"TLS with {host} failed"
            return DeliveryError(reason, permanent=bool(failure))
        case requests.exceptions.ConnectionError():
            return _explain_connection(error, host)
        case ValueError():  # of requests too: its InvalidURL, MissingSchema, InvalidSchema, InvalidHeader
            return DeliveryError("the channel's url is not one that can be posted to", permanent=True)
        case _:
            return DeliveryError(f"the answer of {host} could not be read", permanent=False, unanswered=True)


def _explain_connection(error: Exception, host: str) -> DeliveryError:
    causes = list(_causes(error))
    if any(isinstance(cause, PrivateAddress) for cause in causes):
        reason = f"{host} is not an address of the public internet, and deny_private_urls forbids those"
        return DeliveryError(reason, permanent=True)
    if any(isinstance(cause, NameResolutionError) for cause in causes):
        return DeliveryError(f"the name {host} cannot be resolved", permanent=False)
    if any(isinstance(cause, NewConnectionError) for cause in causes):
        detail = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
        return DeliveryError(f"cannot connect to {host}" + (f": {detail}" if detail else ""), permanent=False)
    return DeliveryError(f"{host} closed the connection without an answer", permanent=False, unanswered=True)


def _certificate_failure(error: Exception) -> str:
    found = (getattr(cause, "verify_message", "") for cause in _causes(error))
    return next((message for message in found if message), "")


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error with all that lie beneath it, as requests and urllib3 nest them."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found
