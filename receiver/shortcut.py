"""The way of a webhook that is taken, past the framework: its routing and hooks cost more than reading and storing do.

Only a 202 is answered here. Whatever else a request comes to is handed to the framework, which answers it as ever.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

# What stands in every answer of the receiver; what an alert says is nobody's to keep.
HEADERS = {"Server": "tocsin", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Quick(Protocol):
    """An address that can take a request without the framework."""

    def quickly(self, environ: dict[str, Any]) -> bytes | None:
        """Return the body of the 202 after the store has what came; None where the framework has to answer."""


class Shortcut:
    """A WSGI application before another one, for some of its addresses."""

    def __init__(self, app: Application, addresses: Mapping[str, Quick]) -> None:
        self._app = app
        self._addresses = addresses
        self._headers = [("Content-Type", "application/json"), *HEADERS.items()]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or let the other application answer it."""
        address = self._addresses.get(environ.get("PATH_INFO", ""))
        if address is not None and environ.get("REQUEST_METHOD") == "POST":
            body = address.quickly(environ)
            if body is not None:
                start_response("202 ACCEPTED", [*self._headers, ("Content-Length", str(len(body)))])
                return (body,)
        return self._app(environ, start_response)
