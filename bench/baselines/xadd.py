"""Baseline (b), the limit: XADD of prepared commands over one connection, pipelined; nothing decodes what is added."""

import socket
import time
from pathlib import Path

PIPELINE = 500
AHEAD = 2  # pipelines under way


def pack(*parts: bytes) -> bytes:
    """Return a command as the store reads it."""
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def run(store: Path, bodies: list[bytes], seconds: float) -> float:
    """Append for so long; return the appends per second."""
    commands = [pack(b"XADD", b"bench:stream", b"MAXLEN", b"~", b"10000", b"*", b"b", body) for body in bodies]
    every = (commands * (PIPELINE // len(commands) + 1))[:PIPELINE]
    chunk = b"".join(every)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(store))
        started = time.monotonic()
        sent = answered = 0
        while time.monotonic() < started + seconds:
            while sent - answered < AHEAD * PIPELINE:
                connection.sendall(chunk)
                sent += PIPELINE
            answered += _answers(connection)
        while answered < sent:
            answered += _answers(connection)
        return answered / (time.monotonic() - started)


def _answers(connection: socket.socket) -> int:
    reply = connection.recv(1 << 20)
    if b"-ERR" in reply:
        raise AssertionError(reply)
    return reply.count(b"$")
