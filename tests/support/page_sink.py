"""A real HTTP server that takes pages, keeps each, answers as told, and knows which ones no assertion claimed.

In a test: the fixture `page_sink`. As a process: `python tests/support/page_sink.py --port 0 --log FILE` prints its
address and appends one JSON line a request before it answers. It parses HTTP itself, to be cheap beside a bench.
"""

import argparse
import json
import os
import socket
import socketserver
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

HANG = "hang"  # takes the request and never answers
DRIP = "drip"  # answers byte by byte, for ever
CLOSE = "close"  # takes the request and closes the connection


@dataclass(frozen=True)
class Answer:
    """What the sink says to one request; `delay` in seconds comes first."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    delay: float = 0.0

    def encode(self) -> bytes:
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"HTTP/1.1 {self.status} -\r\nContent-Length: {len(self.body)}\r\n{extra}\r\n".encode() + self.body


_OK = Answer()


@dataclass
class Received:
    """One request: when (seconds since the epoch), where, what; and whether the sink said that it took it."""

    at: float
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    connection: int  # requests over one kept-alive connection share it
    accepted: bool = False
    claimed: bool = False
    claimed_incidents: set[str] = field(default_factory=set)

    def pages(self) -> list[dict[str, Any]]:
        """Return one page for each incident in it that is not claimed: pages of the same few seconds come together."""
        page = _json_object(self)
        together = page.get("incidents") or []
        if page.get("type") != "page" or len(together) < 2:
            return [page]
        return [page | {"incident": one} for one in together if one["id"] not in self.claimed_incidents]

    def claim(self, page: dict[str, Any]) -> None:
        """Claim one of these pages; with the last of them all of it is claimed."""
        if len(self.pages()) > 1:
            self.claimed_incidents.add(page["incident"]["id"])
        else:
            self.claimed = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        try:
            page = self.json
            names = ("type", "person", "reason", "step", "round", "attempt", "repeat", "page_id", "text")
            what = ", ".join(f"{name}={page[name]!r}" for name in names if name in page)
        except (ValueError, TypeError):
            what = repr(self.body[:80])
        return f"{self.method} {self.path} {'accepted' if self.accepted else 'not accepted'}: {what}"


class PageSink:
    """Listens on loopback until closed; every request that it answered 2xx is a page that a test must claim."""

    def __init__(self, *, port: int = 0, log: str | None = None) -> None:
        self.received: list[Received] = []
        self._changed = threading.Condition()
        self._scripts: dict[str, deque[Answer | str]] = {}
        self._always: dict[str, Answer | str] = {}
        self._closing = threading.Event()
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if log else None
        self._connections = 0
        self._server = _Server(("127.0.0.1", port), _handler_of(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="page-sink", daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/pages"

    def url_for(self, path: str) -> str:
        """The address of another path, for another person or channel."""
        return f"http://127.0.0.1:{self.port}{path}"

    def script(self, *answers: Answer | str | int, path: str = "/pages") -> None:
        """Answer the next requests to a path so, in turn: a status, an Answer, HANG, DRIP or CLOSE; then 200."""
        with self._changed:
            self._scripts.setdefault(path, deque()).extend(_answer(one) for one in answers)

    def always(self, answer: Answer | str | int, *, path: str = "/pages") -> None:
        """Answer every unscripted request to a path so."""
        self._always[path] = _answer(answer)

    def claim(self, predicate, *, timeout: float = 60.0, what: str = "a page") -> Received:
        """Wait for a request, accepted and not yet claimed, that the predicate takes; fail after `timeout` seconds."""
        found: list[Received] = []

        def is_there() -> bool:
            found[:] = [one for one in self.received if one.accepted and not one.claimed and predicate(one)][:1]
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(is_there, timeout):
                raise AssertionError(f"{what} did not come within {timeout:g} s; {self._story()}")
            found[0].claimed = True
            return found[0]

    def expect_page(self, *, timeout: float = 60.0, path: str | None = None, **fields: Any) -> dict[str, Any]:
        """Claim a page whose JSON has all these fields (`type` is `page` unless said) and return its JSON.

        A second page to the same person within 5 s comes with others, so a page may take a little longer than that.
        """
        fields = {"type": "page"} | fields
        found: list[tuple[Received, dict[str, Any]]] = []

        def is_there() -> bool:
            found[:] = [
                (one, page)
                for one in self.received
                if one.accepted and not one.claimed and path in {None, one.path}
                for page in one.pages()
                if all(page.get(name) == value for name, value in fields.items())
            ][:1]
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(is_there, timeout):
                raise AssertionError(f"a page with {fields} did not come within {timeout:g} s; {self._story()}")
            ((one, page),) = found
            one.claim(page)
            return page

    def expect_message(self, *, timeout: float = 60.0, path: str | None = None, **fields: Any) -> dict[str, Any]:
        """Claim a page as `expect_page` does, with all the incidents that it bears."""
        fields = {"type": "page"} | fields

        def fits(one: Received) -> bool:
            page = _json_object(one)
            return path in {None, one.path} and all(page.get(name) == value for name, value in fields.items())

        return self.claim(fits, timeout=timeout, what=f"a page with {fields}").json

    def expect_attempts(self, count: int, *, timeout: float = 60.0, path: str = "/pages") -> list[Received]:
        """Wait until a path has had so many requests, accepted or not, and return them."""

        def attempts() -> list[Received]:
            return [one for one in self.received if one.path == path]

        with self._changed:
            if not self._changed.wait_for(lambda: len(attempts()) >= count, timeout):
                raise AssertionError(f"{len(attempts())} of {count} requests came to {path}; {self._story()}")
            return attempts()

    def unclaimed(self) -> list[Received]:
        """The accepted pages that no assertion claimed."""
        with self._changed:
            return [one for one in self.received if one.accepted and not one.claimed]

    def assert_all_claimed(self, *, settle: float = 0.0) -> None:
        """Fail if, after `settle` seconds more, a page came that nobody expected."""
        time.sleep(settle)
        if self.unclaimed():
            raise AssertionError(f"pages that nobody expected; {self._story()}")

    def close(self) -> None:
        """Stop listening and let go of every connection."""
        self._closing.set()
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _story(self) -> str:
        lines = "".join(f"\n  {'claimed ' if one.claimed else '        '}{one}" for one in self.received)
        return f"received: {len(self.received)}{lines}"

    # Called by the handler, on the thread of a connection.

    def connected(self) -> int:
        with self._changed:
            self._connections += 1
            return self._connections

    def take(self, received: Received) -> Answer | str:
        with self._changed:
            script = self._scripts.get(received.path)
            scripted = script.popleft() if script else self._always.get(received.path)
            answer = self.answer_to(received) if scripted is None else scripted
            received.accepted = isinstance(answer, Answer) and 200 <= answer.status < 300
            if self._log is None:
                self.received.append(received)
            else:
                os.write(self._log, _log_line(received))
            self._changed.notify_all()
        return answer

    def answer_to(self, received: Received) -> Answer | str:
        """What an unscripted request gets; a look-alike of a provider says here what that provider says."""
        return _OK

    def wait(self, seconds: float) -> bool:
        """Sleep; True if the sink is closing."""
        return self._closing.wait(seconds)


def _answer(one: Answer | str | int) -> Answer | str:
    return Answer(status=one, body=b"" if one == 204 else b"scripted") if isinstance(one, int) else one


def _json_object(one: Received) -> dict[str, Any]:
    try:
        value = one.json
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _log_line(received: Received) -> bytes:
    head = json.dumps(
        {"at": received.at, "path": received.path, "headers": received.headers, "accepted": received.accepted}
    )
    body = received.body if received.body[:1] == b"{" else b"null"  # our own pages are one line of JSON
    return b'%s, "json": %s}\n' % (head[:-1].encode(), body)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, address, handler) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request, client_address) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for one in list(self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request, client_address) -> None:
        """Say nothing: senders that go away in the middle are part of the tests."""


def _handler_of(sink: PageSink) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection, rest = sink.connected(), b""
            while True:
                received, rest = _read_request(self.request, rest, connection)
                if received is None or not _answer_request(sink, self.request, received):
                    return

    return Handler


def _read_request(connection: socket.socket, rest: bytes, number: int) -> tuple[Received | None, bytes]:
    """Read one request with a Content-Length; None when the peer has gone."""
    while (end := rest.find(b"\r\n\r\n")) < 0:
        more = connection.recv(65536)
        if not more:
            return None, b""
        rest += more
    first, *lines = rest[:end].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body, length = rest[end + 4 :], int(headers.get("content-length", "0"))
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            return None, b""
        body += more
    received = Received(
        at=time.time(), method=method, path=path, headers=headers, body=body[:length], connection=number
    )
    return received, body[length:]


def _answer_request(sink: PageSink, connection: socket.socket, received: Received) -> bool:
    """Answer one request; False when the connection is to be closed."""
    answer = sink.take(received)
    if isinstance(answer, Answer):
        if answer.delay and sink.wait(answer.delay):
            return False
        connection.sendall(answer.encode())
        return answer.headers.get("Connection") != "close"
    if answer == HANG:
        sink.wait(60)
    elif answer == DRIP:
        connection.sendall(b"HTTP/1.1 200 -\r\nX-Drip: ")
        while not sink.wait(0.05):
            connection.sendall(b"x")
    return False


def main() -> None:
    """Run until ended from outside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", required=True, help="file to append one JSON line a request to")
    parser.add_argument("--status", type=int, default=200, help="status of every answer")
    options = parser.parse_args()
    sink = PageSink(port=options.port, log=options.log)
    if options.status != 200:
        sink.always(options.status)
    print(sink.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
