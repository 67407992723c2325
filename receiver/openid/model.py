"""How people sign in with a provider of OpenID Connect, and what can go wrong on the way. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from incidents.errors import TocsinError
from receiver.auth import ApiRole, ApiToken

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
    groups_claim: str
    name_claim: str = ""  # empty: the first of `preferred_username`, a verified `email` and `sub`
    scopes: tuple[str, ...]

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

    def caller(self, name: str, groups: Iterable[str]) -> ApiToken | None:
        """Return somebody with the highest role that the groups give, None where they give none."""
        found = self.groups_of_ours(groups)
        group = max(found, key=lambda each: self.roles[each].rank, default="")
        return ApiToken(name=name, role=self.roles[group], group=group) if group else None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a token says: the name for the timeline (empty where it has none that is proven), and the groups."""

    name: str
    groups: tuple[str, ...]


class SignIn(Protocol):
    """Where people prove who they are; raises `ProviderAway` and `TokenRefused`."""

    @property
    def openid(self) -> OpenId:
        """Who it is, and what we are there."""

    @property
    def end_session(self) -> str:
        """Where people sign out of the provider as well; empty where that is not known. Asks nobody."""

    def probe(self) -> int:
        """Ask what signing in would ask, and return how many keys the provider signs with."""

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Return where to send somebody who wants to sign in."""

    def person(self, code: str, *, verifier: str, nonce: str, now: datetime) -> Person:
        """Return whom a code stands for; it can be used once."""
