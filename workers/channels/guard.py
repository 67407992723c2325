"""Keeps code that is not ours from connecting to private addresses: Python asks before each connection of a thread.

What is judged is the very address that is connected to, so a name cannot mean one thing first and another then.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from workers.channels.addresses import PrivateAddress, is_public

_here = threading.local()


@contextmanager
def guarded(*, deny_private: bool) -> Iterator[None]:
    """Let this thread connect to the public internet alone, if `deny_private`; others raise PrivateAddress."""
    if not deny_private:
        yield
        return
    _install()
    _here.guarded = True
    try:
        yield
    finally:
        _here.guarded = False


@cache
def _install() -> None:
    """Add the hook, once: one cannot be taken away again, so no process has it that does not need it."""
    sys.addaudithook(_judge)


def _judge(event: str, arguments: tuple[object, ...]) -> None:
    if event not in {"socket.connect", "socket.sendto"} or not getattr(_here, "guarded", False):
        return
    target = arguments[1]
    address = str(target[0]) if isinstance(target, tuple) and target else str(target)
    if not is_public(address):
        raise PrivateAddress("the service", address)
