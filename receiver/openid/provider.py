"""One provider of OpenID Connect: its description and keys, remembered, and the exchange of a code for a person.

A provider that is away costs no more than two threads at a time, for seconds, and is left alone a while after.
"""

import hashlib
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit, urlunsplit

from receiver.openid.addresses import is_safe_address
from receiver.openid.asking import Asker, place
from receiver.openid.model import OpenId, Person, ProviderAway, TokenRefused
from receiver.openid.tokens import Keys, UnknownKey, claims_of, keys_in, person_in

KEPT_SECONDS = 3600.0
KEYS_SECONDS = 30.0  # no more often are keys asked for because of a token with an unknown one
AWAY_SECONDS = 5.0
AT_ONCE = 2
WAIT_SECONDS = 1.0
REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Described(NamedTuple):
    """What a provider says of itself."""

    authorization: str
    token: str
    keys: str
    end_session: str  # empty where it has none
    has_basic: bool  # takes our secret as the password of basic authentication


class Provider:
    """Where people prove who they are. For many threads; raises `ProviderAway` and `TokenRefused`."""

    def __init__(self, openid: OpenId, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.openid = openid
        self._monotonic = monotonic
        self._asker = Asker()
        self._seats = threading.BoundedSemaphore(AT_ONCE)
        self._described: tuple[float, Described] | None = None
        self._keys: tuple[float, Keys] | None = None
        self._away: tuple[float, ProviderAway] | None = None

    def described(self) -> Described:
        """Return what the provider says of itself, asked for at most once in an hour."""
        known = self._described
        if known is None or self._monotonic() - known[0] >= KEPT_SECONDS:
            found = described_in(self._ask(lambda: self._asker.get(self.openid.discovery)), self.openid)
            known = self._described = (self._monotonic(), found)
        return known[1]

    @property
    def end_session(self) -> str:
        """Where people sign out of the provider as well; empty where that is not known. Asks nobody."""
        known = self._described
        if known is None or not known[1].end_session:
            return ""
        return _with_query(known[1].end_session, {"client_id": self.openid.client_id})

    def probe(self) -> int:
        """Ask what signing in would ask, and return how many keys the provider signs with."""
        self.described()
        return len(self.published())

    def published(self) -> Keys:
        """Return the keys that the provider signs with, asked for at most once in an hour."""
        known = self._keys
        return self._ask_keys() if known is None or self._age(known) >= KEPT_SECONDS else known[1]

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Return where to send somebody who wants to sign in."""
        return _with_query(
            self.described().authorization,
            {
                "response_type": "code",
                "client_id": self.openid.client_id,
                "redirect_uri": self.openid.redirect,
                "scope": " ".join(self.openid.scopes),
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge_of(verifier),
                "code_challenge_method": "S256",
            },
        )

    def person(self, code: str, *, verifier: str, nonce: str, now: datetime) -> Person:
        """Return whom a code stands for; it can be used once."""
        token = self._exchange(code, verifier)
        try:
            claims = claims_of(token, self.published(), self.openid, nonce, now)
        except UnknownKey:  # the provider may have begun to sign with a new one
            if self._keys is not None and self._age(self._keys) < KEYS_SECONDS:
                raise
            claims = claims_of(token, self._ask_keys(), self.openid, nonce, now)
        return person_in(claims, self.openid)

    def _exchange(self, code: str, verifier: str) -> str:
        described = self.described()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.openid.redirect,
            "code_verifier": verifier,
        }
        auth = None
        if described.has_basic:
            auth = (quote_plus(self.openid.client_id), quote_plus(self.openid.client_secret))
        else:
            form |= {"client_id": self.openid.client_id, "client_secret": self.openid.client_secret}
        status, answer = self._ask(lambda: self._asker.post(described.token, form, auth))
        token = answer.get("id_token")
        if status == HTTPStatus.OK and isinstance(token, str):
            return token
        said = str(answer.get("error", "it gave no ID token"))[:100]
        if status == HTTPStatus.OK or (status in REFUSALS and said != "invalid_client"):
            raise TokenRefused(f"the provider did not take the code: {said}")
        raise ProviderAway(f"{place(described.token)} answered {status}: {said}")

    def _ask_keys(self) -> Keys:
        address = self.described().keys
        found = keys_in(self._ask(lambda: self._asker.get(address)))
        if not found:
            raise ProviderAway(f"{place(address)} has no key that can sign")
        self._keys = (self._monotonic(), found)
        return found

    def _ask(self, asked: Callable[[], Any]) -> Any:  # noqa: ANN401 - what is asked for
        away = self._away
        if away is not None and self._age(away) < AWAY_SECONDS:
            raise ProviderAway(str(away[1]))
        with self._seat():
            try:
                answer = asked()
            except ProviderAway as error:
                self._away = (self._monotonic(), error)
                raise
        self._away = None
        return answer

    @contextmanager
    def _seat(self) -> Iterator[None]:
        if not self._seats.acquire(timeout=WAIT_SECONDS):
            raise ProviderAway("too many sign in at once, and the provider is slow")
        try:
            yield
        finally:
            self._seats.release()

    def _age(self, kept: tuple[float, object]) -> float:
        return self._monotonic() - kept[0]


def described_in(document: Mapping[str, Any], openid: OpenId) -> Described:
    """Return what a discovery document says; raises `ProviderAway` for one of another issuer, or with unsafe places."""
    if document.get("issuer") != openid.issuer:
        said = str(document.get("issuer"))[:200]
        raise ProviderAway(f"{openid.discovery} is of the issuer {said!r} and not of {openid.issuer!r}")
    found = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
        url = document.get(name)
        found[name] = url if isinstance(url, str) and is_safe_address(url) else ""
        if not found[name] and name != "end_session_endpoint":
            raise ProviderAway(f"{openid.discovery} has no {name} that begins with https://")
    methods = document.get("token_endpoint_auth_methods_supported")
    return Described(
        authorization=found["authorization_endpoint"],
        token=found["token_endpoint"],
        keys=found["jwks_uri"],
        end_session=found["end_session_endpoint"],
        has_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
    )


def challenge_of(verifier: str) -> str:
    """Return the challenge of PKCE that a verifier answers."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with_query(url: str, more: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(more)) if part)
    return urlunsplit(parts._replace(query=query, fragment=""))
