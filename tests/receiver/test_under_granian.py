"""What only a real server shows: endless and slow bodies, and workers that are killed."""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from programs import eventually, free_port, is_alive

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MIB = 1024 * 1024
POST = b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer source-token\r\n"
BEARER = {"Authorization": "Bearer source-token"}


class Server:
    """A receiver under granian; `url` is where it answers."""

    def __init__(self, counts: Path, *, workers: int, threads: int, readers: int, body_seconds: float) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        options = [f"--workers={workers}", f"--blocking-threads={threads}", "--respawn-failed-workers"]
        options += ["--respawn-interval=0.1", "--interface=wsgi", "--http=1", "--no-ws", f"--port={self.port}"]
        settings = {"COUNTS": str(counts), "READERS": str(readers), "BODY_SECONDS": str(body_seconds)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "granian", *options, f"--working-dir={HERE}", "--factory", "serving:app"],
            cwd=ROOT,
            env=os.environ | settings | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        eventually(self.healthy)

    def healthy(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/healthy", timeout=60).ok
        except requests.RequestException:
            return False

    def post(self) -> int:
        return requests.post(
            f"{self.url}/webhooks/alertmanager", b'{"alerts":[]}', headers=BEARER, timeout=60
        ).status_code

    def counted(self, code: int = 202) -> float:
        text = requests.get(f"{self.url}/metrics", timeout=60).text
        found = re.search(rf'tocsin_webhooks_total{{code="{code}",source="prod"}} (\S+)', text)
        assert found is not None
        return float(found[1])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Two threads, of which one at a time reads a body, for a minute if need be: what comes before, waited for none."""
    server = Server(tmp_path_factory.mktemp("counts"), workers=1, threads=2, readers=1, body_seconds=60)
    yield server
    server.stop()


def answer_of(connection: socket.socket) -> bytes:
    with contextlib.suppress(ConnectionError):
        return connection.recv(4096)
    return b""


def test_server_endless_chunked_body_is_cut_at_the_cap(server):
    """A body without a declared length is read up to the cap and no further."""
    before = server.counted(413)
    sent = 0
    with server.connect() as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while sent < 300 * MIB:
                connection.sendall(b"100000\r\n" + b" " * MIB + b"\r\n")
                sent += MIB
        answer = answer_of(connection)
    assert 60 * MIB < sent < 100 * MIB
    assert answer == b"" or b" 413 " in answer
    eventually(lambda: server.counted(413) == before + 1)


def test_server_declared_ten_gigabytes_are_413_at_once(server):
    """The length alone is enough."""
    with server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 10000000000\r\n\r\n{")
        assert b" 413 " in answer_of(connection)


def test_server_refuses_a_stranger_before_the_body(server):
    """401 comes without a byte of the body, so a stranger can hold nobody up."""
    with server.connect() as connection:
        connection.sendall(b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        assert b" 401 " in answer_of(connection)


def test_server_announces_that_it_closes_after_a_body_that_it_does_not_read(server):
    """A sender with a wrong token that keeps its connection is told that it has to open another one."""
    with server.connect() as connection:
        connection.sendall(b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        answer = answer_of(connection)
    assert b" 401 " in answer
    assert b"connection: close" in answer.lower()


def test_server_chunked_body_is_taken(server):
    """Chunks are as good as a length."""
    with server.connect() as connection:
        connection.sendall(POST + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"ale\r\n8\r\nrts":[]}\r\n0\r\n\r\n')
        assert b" 202 " in answer_of(connection)


def test_server_slow_bodies_hold_up_nobody_else(server):
    """While senders dribble, probes are answered, and others are told to try again."""
    slow = _dribbling(server)
    assert server.healthy()
    eventually(lambda: len(_readable(slow)) == 2)
    assert all(b" 503 " in answer_of(connection) for connection in _readable(slow))
    for connection in slow:
        connection.close()
    eventually(lambda: server.post() == 202)


def test_server_slow_bodies_are_cut(tmp_path):
    """Whoever holds the one place for longer than a body may take loses it, and the next is served."""
    server = Server(tmp_path, workers=1, threads=2, readers=1, body_seconds=1)
    try:
        for connection in _dribbling(server):
            answer = answer_of(connection)
            assert answer == b"" or b" 503 " in answer
            connection.close()
        eventually(lambda: server.post() == 202)
    finally:
        server.stop()


def _readable(connections: list[socket.socket]) -> list[socket.socket]:
    return select.select(connections, [], [], 0)[0]


def _dribbling(server: Server) -> list[socket.socket]:
    slow = [server.connect() for _ in range(3)]
    for connection in slow:
        connection.sendall(POST + b"Content-Length: 100\r\n\r\n{")
    return slow


def test_server_answers_no_version_of_its_own(server):
    """The server header is ours on every answer."""
    assert requests.get(f"{server.url}/-/healthy", timeout=60).headers["Server"] == "tocsin"
    assert requests.get(f"{server.url}/webhooks/alertmanager", timeout=60).status_code == 405


def test_server_counts_survive_killed_workers(tmp_path):
    """Whichever worker counted, and however it died, a scrape of any worker gives the sum."""
    server = Server(tmp_path, workers=2, threads=1, readers=1, body_seconds=60)
    try:
        for _ in range(10):
            assert server.post() == 202
        for _ in range(2):
            victim = int(requests.get(f"{server.url}/pid", timeout=60).text)
            os.kill(victim, signal.SIGKILL)
            # Until it has gone, its end of the port takes connections that nobody answers.
            eventually(lambda victim=victim: not is_alive(victim))
            eventually(lambda victim=victim: _answered_by_another(server, victim))
            assert server.counted() >= 10
        assert server.post() == 202
        assert server.counted() == 11
    finally:
        server.stop()


def _answered_by_another(server: Server, victim: int) -> bool:
    with contextlib.suppress(requests.RequestException):
        return int(requests.get(f"{server.url}/pid", timeout=5).text) != victim
    return False
