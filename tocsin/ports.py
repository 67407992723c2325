"""Checks before listening: granian shares ports silently, so a second server would answer beside the first."""

import errno
import socket
import time

from incidents.errors import TocsinError
from tocsin.processes import listener_of, name_of
from tocsin.settings import Listen

_RETRY_SECONDS = 0.05
ELSEWHERE = "choose another port with `listen` (tocsin.yml, or TOCSIN_LISTEN=127.0.0.1:9100)"


class PortUnusable(TocsinError):
    """The address cannot be listened on; the text says who has it, or why."""


def ensure_free(listen: Listen, *, patience: float = 3.0) -> None:
    """Raise PortUnusable unless nobody has the address; the rest of a server that was just killed gets some time."""
    deadline = time.monotonic() + patience
    while True:
        problem = _problem(listen)
        if not problem:
            return
        if time.monotonic() >= deadline:
            raise PortUnusable(problem)
        time.sleep(_RETRY_SECONDS)


def is_answered(listen: Listen) -> bool:
    """Tell whether somebody takes connections at the address."""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104
    try:
        socket.create_connection((host, listen.port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _problem(listen: Listen) -> str:
    try:
        found = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        return f"{listen.host} is no address to listen on: {error.strerror}; mend `listen`"
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            # Without SO_REUSEPORT: the attempt fails where anybody listens, whatever options they set.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen(1)
            except OSError as error:
                return _reason(listen, error)
    return ""


def _reason(listen: Listen, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        pid = listener_of(listen.port)
        who = f"{name_of(pid)} (pid {pid})" if pid else "another process"
        return f"{listen} is already answered by {who}; stop it, or {ELSEWHERE}"
    if error.errno == errno.EACCES:
        return f"{listen}: ports below 1024 need privileges; {ELSEWHERE}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{listen}: this machine has no such address; mend `listen`"
    return f"{listen} cannot be listened on: {error.strerror}"
