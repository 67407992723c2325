"""Asks a provider over HTTP, bounded in time and size: no redirects, no proxies or passwords of the environment.

No error holds a body or a query: secrets and codes lie there.
"""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from urllib3.exceptions import HTTPError

from receiver.openid.model import ProviderAway

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
MAX_ANSWER = 512 * 1024
PIECE = 16 * 1024
Json = dict[str, Any]


class Asker:
    """Gets and posts, and returns the object that is answered. For many threads."""

    def get(self, url: str) -> Json:
        """Return the JSON object at an address; raises `ProviderAway`."""
        status, body = self._ask("GET", url)
        if status != HTTPStatus.OK:
            raise ProviderAway(f"{place(url)} answered {status}")
        return _object(url, body)

    def post(self, url: str, form: Mapping[str, str], auth: tuple[str, str] | None) -> tuple[int, Json]:
        """Post a form, and return the status and the JSON object that is answered; raises `ProviderAway`."""
        status, body = self._ask("POST", url, form, auth)
        return status, _object(url, body)

    def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
    ) -> tuple[int, bytes]:
        end = time.monotonic() + ANSWER_SECONDS
        headers = {"Accept": "application/json", "User-Agent": "Tocsin"}
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy and no password that nobody configured here
                with session.request(
                    method,
                    url,
                    data=form,
                    auth=auth,
                    headers=headers,
                    timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return response.status_code, _content(response, url, end)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise ProviderAway(f"{place(url)} {_reason(error)}") from error


def place(url: str) -> str:
    """Return an address without its query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _content(response: requests.Response, url: str, end: float) -> bytes:
    """Return the whole body; one that drips is given up at the end of its time."""
    content = b""
    while piece := response.raw.read1(PIECE, decode_content=True):
        content += piece
        if len(content) > MAX_ANSWER:
            raise ProviderAway(f"{place(url)} answered more than {MAX_ANSWER // 1024} KiB")
        if time.monotonic() > end:
            raise ProviderAway(f"{place(url)} took longer than {ANSWER_SECONDS:.0f} s to answer")
    return content


def _object(url: str, body: bytes) -> Json:
    try:
        return msgspec.json.decode(body, type=Json)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ProviderAway(f"{place(url)} answered with something that is no JSON object") from error


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "has a certificate that is not trusted here"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return f"cannot be asked ({type(error).__name__})"
