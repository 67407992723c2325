"""Which addresses of a provider may be used: those on the way to which nobody listens. Pure."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, so that nobody listens on the way."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe_address(url: str) -> bool:
    """Tell whether an address may be asked, and people be sent there: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or 1
    except ValueError:
        return False
    if not host or port < 1 or not url.isascii() or not url.isprintable() or " " in url or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
