"""Speaks with a running Tocsin over its API, for the command line. It knows no store, and decides nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from incidents.errors import TocsinError
from tocsin import __version__
from tocsin.settings import without_password

API = "/api/v1"
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 15.0
PAGE_SIZE = 200
PIECE = 65_536  # bytes
UNAVAILABLE = 503

Query = Mapping[str, str | int | list[str]]
Json = dict[str, Any]


class Unreachable(TocsinError):
    """Nothing that speaks as Tocsin does answers at the address, or it cannot answer now."""


class Refused(TocsinError):
    """The server answered that it will not; `problem` is what it said (RFC 9457)."""

    def __init__(self, status: int, problem: Json) -> None:
        self.status = status
        self.problem = problem
        detail = str(problem.get("detail") or problem.get("title") or f"the server answered {status}")
        hint = problem.get("hint")
        super().__init__(f"{detail}\n{hint}" if hint else detail)


class Listed(NamedTuple):
    """Some items of a list, and the cursor of the next, None after the last."""

    items: list[Json]
    next: str | None


class Bearer(AuthBase):
    """Sends the token; without an object of its own, `requests` would let a .netrc replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header to a request."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Client:
    """A server and the token it is spoken to with. Raises `Unreachable` and `Refused`."""

    def __init__(self, server: str, token: str = "", *, timeout: float = ANSWER_SECONDS) -> None:
        self.server = server.rstrip("/")
        self._timeout = (min(CONNECT_SECONDS, timeout), timeout)
        self._session = requests.Session()
        self._session.auth = Bearer(token)
        self._session.headers["User-Agent"] = f"tocsin/{__version__}"
        # A proxy of the environment does not lead to our own host.
        self._session.trust_env = not is_loopback(self.server)

    def get(self, path: str, query: Query | None = None) -> Json:
        """Ask for something below `/api/v1`."""
        return self._json("GET", API + path, query=query)

    def post(self, path: str, body: Json | None = None) -> Json:
        """Order something below `/api/v1`."""
        return self._json("POST", API + path, body=body or {})

    def tagged(self, path: str) -> tuple[Json, str]:
        """Ask for something below `/api/v1`, and return it with its ETag."""
        answer = self._ask("GET", API + path)
        return self._value(answer), answer.headers.get("ETag", "")

    def patch(self, path: str, body: Json, *, tag: str) -> Json:
        """Change something below `/api/v1` that is as it was when it had this ETag."""
        return self._value(self._ask("PATCH", API + path, body=body, headers={"If-Match": tag}))

    def delete(self, path: str) -> Json:
        """Take something below `/api/v1` away."""
        return self._json("DELETE", API + path)

    def listed(self, path: str, plural: str, query: Query, *, most: int) -> "Listed":
        """Return the items of a list over all its pages, `most` of them, and the cursor of what follows."""
        items: list[Json] = []
        after: str | None = ""
        while after is not None and len(items) < most:
            limit = min(most - len(items), PAGE_SIZE)
            page = self.get(path, {**query, "limit": limit} | ({"after": after} if after else {}))
            items += page[plural]
            after = page["next"]
        return Listed(items, after)

    def status_of(self, path: str) -> tuple[int, str]:
        """Return the status code and the text of any path of the server."""
        answer = self._ask("GET", path)
        return answer.status_code, answer.text

    def download(self, path: str) -> Iterator[bytes]:
        """Yield what a path below `/api/v1` answers, piece by piece, whatever it is."""
        try:
            with self._session.get(
                self.server + API + path, timeout=self._timeout, allow_redirects=False, stream=True
            ) as answer:
                if not answer.ok:
                    self._value(answer)
                yield from answer.iter_content(PIECE)
        except requests.RequestException as error:
            raise Unreachable(f"{self._shown} cannot be reached: {_reason(error)}") from error

    def send(self, path: str, body: Json) -> Json:
        """Post to a path outside the API, such as a webhook."""
        return self._json("POST", path, body=body)

    def _json(self, method: str, path: str, *, query: Query | None = None, body: Json | None = None) -> Json:
        return self._value(self._ask(method, path, query=query, body=body))

    def _value(self, answer: requests.Response) -> Json:
        """Return what was answered; raises `Refused` and `Unreachable`."""
        try:
            value = answer.json()
        except requests.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            raise Unreachable(f"{self._shown} answered {answer.status_code}, but not as Tocsin does; check the address")
        if answer.status_code == UNAVAILABLE:
            raise Unreachable(f"{self._shown}: {value.get('detail', 'not available')}")
        if not answer.ok:
            raise Refused(answer.status_code, value)
        return value

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                self.server + path,
                params=query,
                json=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Unreachable(f"{self._shown} cannot be reached: {_reason(error)}") from error

    @property
    def _shown(self) -> str:
        return without_password(self.server)


def segment(text: str) -> str:
    """Return a text as one segment of a path."""
    return quote(text, safe="")


def is_loopback(server: str) -> bool:
    """Tell whether an address is that of our own host."""
    host = urlsplit(server).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _reason(error: requests.RequestException) -> str:
    """Return what went wrong in few words: the innermost cause."""
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return getattr(cause, "strerror", None) or str(cause) or type(error).__name__
