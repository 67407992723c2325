"""Single sign-on: sends a browser to the provider, takes it back, and says who came and with which role.

What was begun stands in a signed cookie of the browser, for ten minutes: an answer to anybody else's beginning opens
nothing. No account is made: a session holds the name and the groups, and its role follows the configuration.
"""

import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

import msgspec
import structlog
from flask import Response, g, request
from itsdangerous import BadData, URLSafeSerializer

from incidents.store.connection import Links
from incidents.store.links import signing_key
from incidents.store.sessions import Session
from incidents.timeline import SYSTEM
from receiver.audit import REFUSED
from receiver.auth import ApiToken
from receiver.openid.model import Person, ProviderAway, SignIn, TokenRefused
from receiver.payloads.loose import line
from receiver.problems import Problem
from receiver.web.guard import HEADERS, credential_of, local

log = structlog.get_logger(__name__)

BEGIN = "/sso"
COOKIE = "tocsin_sso"
LASTS = timedelta(minutes=10)
MAX_CODE = 4096
SECRET_BYTES = 32
_is_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,99}").fullmatch
AGAIN = "Sign in again; with an API token it works without the provider."


class _Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser was sent to the provider with."""

    state: str
    nonce: str
    verifier: str
    there: str
    at: datetime


class LetIn(NamedTuple):
    """Somebody who has proven who it is, where to go on, and the groups that give the role."""

    who: ApiToken
    groups: tuple[str, ...]
    there: str


class SingleSignOn:
    """The way in by a provider. For many threads; everything raises `Problem` or `StoreUnavailable`."""

    def __init__(self, provider: SignIn, links: Links, taken: Iterable[str], now: Callable[[], datetime]) -> None:
        self.provider = provider
        self.openid = openid = provider.openid
        self._links = links
        self._taken = {name.casefold() for name in (*taken, SYSTEM)}
        self._now = now
        self._is_secure = openid.redirect.startswith("https://")
        self._cookie = f"__Host-{COOKIE}" if self._is_secure else COOKIE

    @property
    def credential(self) -> str:
        """What sessions opened by it hang on."""
        return credential_of(self.openid.credential)

    def begin(self) -> Response:
        """Send a browser to the provider."""
        begun = _Begun(
            state=secrets.token_urlsafe(SECRET_BYTES),
            nonce=secrets.token_urlsafe(SECRET_BYTES),
            verifier=secrets.token_urlsafe(SECRET_BYTES),
            there=local(request.args.get("next", "")),
            at=self._now(),
        )
        try:
            to = self.provider.address(state=begun.state, nonce=begun.nonce, verifier=begun.verifier)
        except ProviderAway as error:
            raise _away(error) from error
        response = Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": to})
        response.set_cookie(
            self._cookie,
            str(self._seal().dumps(msgspec.to_builtins(begun))),
            httponly=True,
            secure=self._is_secure,
            samesite="Lax",
            path="/",
            max_age=int(LASTS.total_seconds()),
        )
        return response

    def finish(self) -> LetIn:
        """Return who comes back from the provider."""
        begun = self._begun()
        code = self._code(begun)
        try:
            person = self.provider.person(code, verifier=begun.verifier, nonce=begun.nonce, now=self._now())
        except ProviderAway as error:
            raise _away(error) from error
        except TokenRefused as error:
            log.warning("single sign-on was refused", reason=str(error))
            raise Problem(
                401, "What your sign-in provider answered proves nothing; the log of the receiver says why.", hint=AGAIN
            ) from error
        return LetIn(self._admitted(person), person.groups, begun.there)

    def forget(self, response: Response) -> Response:
        """Forget what was begun: it is answered once."""
        response.delete_cookie(self._cookie, path="/", secure=self._is_secure, httponly=True, samesite="Lax")
        return response

    def holder(self, session: Session) -> ApiToken | None:
        """Return whose session it is, with the role of today; None once the way in or the role is gone."""
        if session.caller.casefold() in self._taken:
            return None
        if not hmac.compare_digest(session.credential.encode(), self.credential.encode()):
            return None
        return self.openid.caller(session.caller, session.groups)

    def _begun(self) -> _Begun:
        try:
            begun = msgspec.convert(self._seal().loads(request.cookies.get(self._cookie, "")), _Begun)
        except (BadData, msgspec.ValidationError):
            begun = None
        if begun is None or not timedelta() <= self._now() - begun.at < LASTS:
            raise Problem(403, "This browser did not begin to sign in, or too long ago.", hint=AGAIN)
        return begun

    def _code(self, begun: _Begun) -> str:
        """Return the code that the provider sends, once it is sure that this browser asked for it."""
        given = request.args
        if not hmac.compare_digest(given.get("state", "").encode("utf-8", "replace"), begun.state.encode()):
            raise Problem(403, "This answer is not to what this browser asked for.", hint=AGAIN)
        if given.get("iss", self.openid.issuer) != self.openid.issuer:
            raise Problem(403, "This answer is of another sign-in provider.", hint=AGAIN)
        if "error" in given:
            said = line(given["error"], 100)
            raise Problem(403, f"Your sign-in provider let nobody in: {said}.", hint=AGAIN)
        code = given.get("code", "")
        if not 0 < len(code) <= MAX_CODE:
            raise Problem(403, "Your sign-in provider sent no code.", hint=AGAIN)
        return code

    def _admitted(self, person: Person) -> ApiToken:
        name = line(person.name, 100)
        g.setdefault(REFUSED, name)
        who = self.openid.caller(person.name, person.groups)
        if who is None:
            raise Problem(
                403,
                f"You are known, as {name}, and no group of yours has a role here.",
                hint="Ask for a group that stands in the roles under sign_in of the configuration.",
            )
        if not _is_name(person.name):
            raise Problem(
                403,
                f"Your sign-in provider calls you {name!r}, which cannot stand on a timeline.",
                hint="Set name_claim under sign_in to a claim of letters, digits and . _ - + @ alone.",
            )
        if name.casefold() in self._taken:
            raise Problem(
                403,
                f"{name} is the name of an API token, of a source or of Tocsin itself, and nobody else's.",
                hint="Give that token another name, such as one that says what it is for.",
            )
        g.pop(REFUSED)
        return who

    def _seal(self) -> URLSafeSerializer:
        with self._links.borrow() as link:
            return URLSafeSerializer(signing_key(link), salt=COOKIE)


def _away(error: ProviderAway) -> Problem:
    log.warning("the sign-in provider cannot be asked", reason=str(error))
    return Problem(
        503,
        "Your sign-in provider cannot be asked; the log of the receiver and `tocsin doctor` say why.",
        hint="Sign in with an API token. Links of pages acknowledge without signing in.",
        headers={"Retry-After": "10"},
    )
