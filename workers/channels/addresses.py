"""Where a connection goes: a name is resolved once, what it stands for is judged, and just that is connected to.

So a name that means something public when it is judged cannot mean something private when it is used.
"""

import ipaddress
import socket
import time
from collections.abc import Iterable
from typing import Any

SocketOptions = Iterable[tuple[int, int, int | bytes]]


class PrivateAddress(OSError):
    """The name stands for an address that is not of the public internet, and those are forbidden."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} is {address}, which deny_private_urls forbids")
        self.host = host
        self.address = address


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet; what is no address at all is not."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None) or parsed
    return bool(inner.is_global and not inner.is_multicast and not inner.is_reserved)


def connect(
    host: str, port: int, *, seconds: float, options: SocketOptions = (), deny_private: bool = False
) -> socket.socket:
    """Return a connection to the first address of a name that answers, within so many seconds over all of them.

    Raises `socket.gaierror`, `TimeoutError`, `PrivateAddress` and other kinds of `OSError`.
    """
    bare = host.strip("[]")
    found = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)
    if deny_private:
        for *_, target in found:
            if not is_public(str(target[0])):
                raise PrivateAddress(bare, str(target[0]))
    deadline = time.monotonic() + seconds
    failure: OSError = OSError("the name stands for no address")
    for place, (family, kind, protocol, _, target) in enumerate(found):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no address of the name answered in time")
        try:
            # An address that swallows packets must leave time for those after it.
            return _connect(family, kind, protocol, target, left / (len(found) - place), options)
        except OSError as error:
            failure = error
    raise failure


def _connect(
    family: int,
    kind: int,
    protocol: int,
    target: Any,  # noqa: ANN401 (an address of any family)
    seconds: float,
    options: SocketOptions,
) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.settimeout(seconds)
        sock.connect(target)
    except OSError:
        sock.close()
        raise
    return sock
