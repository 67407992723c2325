"""Who is calling: source tokens for the webhooks, API tokens with a role for everything else.

Only headers are looked at, never the body. Every candidate is compared, each in constant time, so that neither the
answer nor its timing tells which token was nearly right.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import wraps
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import msgspec
from flask import current_app, g, request

from receiver.limits import Limiter, too_fast
from receiver.payloads.mapping import Mapping
from receiver.problems import Problem

P = ParamSpec("P")
R = TypeVar("R")

CALLERS = "tocsin.callers"
LIMITER = "tocsin.limiter"


class ApiRole(StrEnum):
    """What an API token may do; each role may do what the ones before it may."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(ApiRole).index(self)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A configured sender; `token_hashes` are SHA-256 digests, two of them while a token is being rotated.

    So are `routing_key_hashes`; `signing_secrets` are kept whole, for signatures are made anew to compare them.
    """

    name: str
    kind: str
    token_hashes: tuple[bytes, ...] = ()
    routing_key_hashes: tuple[bytes, ...] = ()
    signing_secrets: tuple[bytes, ...] = ()
    mapping: Mapping | None = None  # of a generic source

    def __repr__(self) -> str:
        return f"Source(name={self.name!r}, kind={self.kind!r})"


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A configured caller of the API; `name` is who did it on the timeline."""

    name: str
    role: ApiRole
    token_hashes: tuple[bytes, ...] = ()
    group: str = ""  # of somebody who came by single sign-on, and has no token: the one that gives the role


class Holder(Protocol):
    """Whatever a token can belong to."""

    @property
    def token_hashes(self) -> tuple[bytes, ...]:
        """SHA-256 digests of the tokens."""


H = TypeVar("H", bound=Holder)


class Keyring(Generic[H]):
    """Finds to whom a token belongs."""

    def __init__(self, holders: Iterable[H]) -> None:
        self._candidates = [(digest, holder) for holder in holders for digest in holder.token_hashes]

    def holder_of(self, token: bytes) -> H | None:
        """Return whose token this is; all candidates are compared, found or not."""
        digest = hashlib.sha256(token).digest()
        found: H | None = None
        for candidate, holder in self._candidates:
            if hmac.compare_digest(candidate, digest):
                found = holder
        return found


def presented_token(header: str) -> bytes:
    """Return the token in the value of an `Authorization` header (bearer, or the password of basic); empty if none."""
    scheme, _, value = header.partition(" ")
    scheme = scheme.lower()
    if scheme == "bearer":
        return value.strip().encode("utf-8", "surrogatepass")
    if scheme == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def unauthorized() -> Problem:
    """Return the one answer to every credential that is missing, wrong, of another kind or withdrawn."""
    return Problem(
        401,
        "A valid token is needed.",
        hint="Send `Authorization: Bearer TOKEN`, or basic authentication with the token as the password.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def require(role: ApiRole, *, is_limited: bool = True) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view be called with an API token of at least this role; `caller()` says inside it whose it was."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _admit(role, is_limited=is_limited)
            return view(*args, **kwargs)

        return guarded

    return decorate


def caller() -> ApiToken:
    """Return the API token that the current request was admitted with."""
    token: ApiToken = g.caller
    return token


def _admit(role: ApiRole, *, is_limited: bool) -> None:
    keyring: Keyring[ApiToken] = current_app.extensions[CALLERS]
    token = keyring.holder_of(presented_token(request.environ.get("HTTP_AUTHORIZATION", "")))
    if token is None:
        raise unauthorized()
    limiter: Limiter = current_app.extensions[LIMITER]
    seconds = limiter.wait(token.name) if is_limited else 0.0
    if seconds:
        raise too_fast(429, token.name, seconds)
    if token.role.rank < role.rank:
        g.refused = token.name
        raise Problem(
            403,
            f"The token {token.name!r} has the role {token.role}; this needs {role}.",
            hint="Use a token whose entry under api_tokens has that role.",
        )
    g.caller = token


def keep_callers(extensions: dict[str, Any], tokens: Iterable[ApiToken], limiter: Limiter) -> None:
    """Put the API tokens, and how often each may call, where `require` finds them."""
    extensions[CALLERS] = Keyring(tokens)
    extensions[LIMITER] = limiter
