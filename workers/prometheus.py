"""Asks a Prometheus for one number, and says in words why there is none. It never raises for what is answered.

An answer has a total time and a total size, whatever the other side does.
"""

import json
import math
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import requests

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
ANSWER_BYTES = 1024 * 1024
REASON_LENGTH = 200
AGENT = "Tocsin"
OK, BAD_QUERY, CANNOT_BE_RUN = 200, 400, 422

NO_DATA = "Prometheus gave no data"
NOT_A_NUMBER = "Prometheus gave NaN, as of 0 divided by 0"
INFINITE = "Prometheus gave an infinite number"
NO_NUMBER = "Prometheus gave no number"
UNREADABLE = "the answer of Prometheus cannot be read"
NO_ANSWER = "Prometheus did not answer"
REFUSED = "Prometheus refuses the query"


class Answer(NamedTuple):
    """A number, or why there is none; `answered` is False where asking again may help."""

    value: float | None
    why: str = ""
    answered: bool = True


class Prometheus:
    """One Prometheus, or what speaks like it (Thanos, Mimir, VictoriaMetrics). Each thread needs one of its own."""

    def __init__(self, url: str, token: str = "", answer_seconds: float = ANSWER_SECONDS) -> None:
        self._url = f"{url}/api/v1/query"
        self._answer_seconds = answer_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy or credentials that nobody configured here
        self._session.headers["User-Agent"] = AGENT
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, promql: str, at: datetime | None = None) -> Answer:
        """Return the answer to a query, now or as of an instant."""
        asked = {"query": promql, "timeout": f"{self._answer_seconds:g}s"}
        if at is not None:
            asked["time"] = f"{at.timestamp():.3f}"
        timeout = (min(CONNECT_SECONDS, self._answer_seconds), self._answer_seconds)
        ends = time.monotonic() + self._answer_seconds
        try:
            with self._session.post(
                self._url, data=asked, timeout=timeout, stream=True, allow_redirects=False
            ) as response:
                return read_answer(response.status_code, _bounded(response, ends))
        except (requests.RequestException, OSError) as error:
            return Answer(None, f"{NO_ANSWER}: {reason_of(error)}", answered=False)


def read_answer(status: int, body: bytes) -> Answer:
    """Read an answer to `GET /api/v1/query` as its API promises it."""
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        said = UNREADABLE if status == OK else f"{NO_ANSWER}: status {status}"
        return Answer(None, said, answered=False)
    if status in {BAD_QUERY, CANNOT_BE_RUN}:
        return Answer(None, f"{REFUSED}: {_one_line(told.get('error', ''))}")
    if status != OK or told.get("status") != "success":
        said = _one_line(told.get("error", "")) or f"status {status}"
        return Answer(None, f"{NO_ANSWER}: {said}", answered=False)
    data = told.get("data")
    return _one_number(data) if isinstance(data, dict) else Answer(None, UNREADABLE, answered=False)


def _one_number(data: dict[str, Any]) -> Answer:
    kind, result = data.get("resultType"), data.get("result")
    if kind not in {"vector", "scalar"} or not isinstance(result, list):
        return Answer(None, NO_NUMBER)
    if kind == "vector":
        if not result:
            return Answer(None, NO_DATA)
        if len(result) > 1:
            return Answer(None, f"Prometheus gave {len(result)} series, not one")
        result = result[0].get("value") if isinstance(result[0], dict) else None
    try:
        value = float(result[1])  # type: ignore[index]
    except (TypeError, ValueError, IndexError, KeyError):
        return Answer(None, NO_NUMBER)
    if math.isnan(value):
        return Answer(None, NOT_A_NUMBER)
    return Answer(None, INFINITE) if math.isinf(value) else Answer(value)


def _bounded(response: requests.Response, ends: float) -> bytes:
    """Return the body, unless it is too large or takes too long."""
    body = b""
    chunks: Iterator[bytes] = response.iter_content(64 * 1024)
    for chunk in chunks:
        body += chunk
        if len(body) > ANSWER_BYTES:
            raise requests.RequestException(f"more than {ANSWER_BYTES} bytes")
        if time.monotonic() > ends:
            raise requests.Timeout("no end of the answer in time")
    return body


def reason_of(error: Exception) -> str:
    """Say in a few words why a connection came to nothing, without the address (it may hold a password)."""
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.Timeout):
        return "nothing came in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.ConnectionError):
        text = str(error)
        known = {
            "refused": "connection refused",
            "Name or service": "no such host",
            "resolve": "no such host",
            "timed out": "nothing came in time",
            "unreachable": "unreachable",
        }
        return next((said for word, said in known.items() if word in text), "the connection broke")
    return type(error).__name__


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:REASON_LENGTH]
