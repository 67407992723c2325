"""How people sign in with a provider of OpenID Connect, and what can go wrong on the way. Pure."""

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import msgspec

from incidents.errors import TocsinError
from receiver.auth import ApiRole

SCOPES = ("openid", "profile", "email")
GROUPS = "groups"
CALLBACK = "/sso/callback"  # where a provider sends people back to


class ProviderAway(TocsinError):
    """The provider cannot be asked, or says what no provider says; the text tells why and holds no secret."""


class TokenRefused(TocsinError):
    """What the provider, or somebody in its place, handed over proves nobody; the text tells why."""


class OpenId(msgspec.Struct, frozen=True, kw_only=True):
    """The provider that people sign in with, what we are there, and which role its groups give here."""

    issuer: str  # exactly as the provider spells it
    client_id: str
    client_secret: str
    redirect: str  # the address of ours to which the provider sends people back
    roles: Mapping[str, ApiRole]  # by group
    groups_claim: str = GROUPS
    name_claim: str = ""  # empty: the first of `preferred_username`, a verified `email` and `sub`
    scopes: tuple[str, ...] = SCOPES

    def __repr__(self) -> str:
        return f"OpenId(issuer={self.issuer!r}, client_id={self.client_id!r})"

    @property
    def discovery(self) -> str:
        """The address of the document in which the provider describes itself."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"

    @property
    def credential(self) -> bytes:
        """What every session opened by it hangs on: with another provider, client or secret they all end."""
        parts = (self.issuer, self.client_id, self.client_secret)
        return hashlib.sha256(msgspec.json.encode(parts)).digest()

    def groups_of_ours(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return those groups that give a role, sorted."""
        return tuple(sorted({group for group in groups if group in self.roles}))

    def role_of(self, groups: Iterable[str]) -> ApiRole | None:
        """Return the highest role that the groups give, None where they give none."""
        found = [self.roles[group] for group in groups if group in self.roles]
        return max(found, key=lambda role: role.rank, default=None)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a token says: the name for the timeline (empty where it has none that is proven), and the groups."""

    name: str
    groups: tuple[str, ...]


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
