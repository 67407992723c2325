"""A stand-in for a provider of OpenID Connect: describes itself, signs everybody in at once, and checks as one does.

It holds clients to their redirect address, secret and PKCE, and takes each code once. It errs as it is told to.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwk
from page_sink import Answer, PageSink, Received

from receiver.auth import ApiRole
from receiver.openid.model import OpenId

CLIENT = "tocsin"
SECRET = "s3cret & more"
HASHES = {"RS256": hashes.SHA256(), "RS512": hashes.SHA512()}
KEY = jwk.RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
OTHER_KEY = jwk.RSAKey.generate_key(2048, {"kid": "second", "use": "sig", "alg": "RS256"})


def openid_for(issuer: str, redirect: str) -> OpenId:
    """Return what a receiver is at a provider; three of its groups have a role."""
    return OpenId(
        issuer=issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        redirect=redirect,
        roles={"watchers": ApiRole.VIEWER, "oncall": ApiRole.RESPONDER, "chiefs": ApiRole.ADMIN},
        groups_claim="groups",
        scopes=("openid", "profile", "email"),
    )


def signed(claims: dict[str, Any], key: jwk.RSAKey = KEY, **header: Any) -> str:
    """Return claims as a token of the provider; it is signed by the key whatever the head says of it."""
    head = {"alg": "RS256", "kid": key.kid, **header}
    text = f"{encoded({name: value for name, value in head.items() if value is not None})}.{encoded(claims)}"
    signature = key.private_key.sign(text.encode(), padding.PKCS1v15(), HASHES[str(head["alg"])])
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def unsigned(claims: dict[str, Any]) -> str:
    """Return claims as a token that nobody has signed."""
    return f"{encoded({'alg': 'none'})}.{encoded(claims)}."


def encoded(value: Any) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class OpenIdLookAlike(PageSink):
    """A provider; `claims` are what it says of whoever comes, `change` and `sign` are how a test has it go wrong."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.claims: dict[str, Any] = {"sub": "4711", "preferred_username": "cleo", "groups": ["oncall", "football"]}
        self.keys = [KEY]
        self.described: dict[str, Any] = {}
        self.change: Callable[[dict[str, Any]], None] = lambda claims: None
        self.sign: Callable[[dict[str, Any]], str] = signed
        self.redirects: set[str] = set()
        self._now = now
        self._codes: dict[str, dict[str, str]] = {}
        super().__init__()

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}/realms/main"  # a site other than 127.0.0.1, to a browser

    def asked(self, path: str) -> int:
        """Return how often an address was asked."""
        return sum(urlsplit(one.path).path.endswith(path) for one in self.received)

    def answer_to(self, received: Received) -> Answer:
        parts = urlsplit(received.path)
        match received.method, parts.path.removeprefix("/realms/main"):
            case "GET", "/.well-known/openid-configuration":
                return _json(self._description())
            case "GET", "/keys":
                return _json({"keys": [key.as_dict(private=False) for key in self.keys]})
            case "GET", "/authorize":
                return self._authorize(_fields(parts.query))
            case "GET", "/logout":
                return Answer(200, {"Content-Type": "text/html"}, b"<h1>Signed out of everything</h1>")
            case "POST", "/token":
                return self._token(received, _fields(received.body.decode()))
        return Answer(404)

    def _description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?ui=plain",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
            **self.described,
        }

    def _authorize(self, asked: dict[str, str]) -> Answer:
        is_whole = asked["response_type"] == "code" and "openid" in asked["scope"].split() and asked["state"]
        if not is_whole or asked["client_id"] != CLIENT or asked["code_challenge_method"] != "S256":
            return Answer(400)
        if asked["redirect_uri"] not in self.redirects:
            return Answer(400)
        code = secrets.token_hex(8)
        self._codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return Answer(302, {"Location": f"{asked['redirect_uri']}?{query}"})

    def _token(self, received: Received, form: dict[str, str]) -> Answer:
        credentials = f"{quote(CLIENT)}:{quote(SECRET, safe='').replace('%20', '+')}".encode()
        has_basic = received.headers.get("authorization", "") == f"Basic {base64.b64encode(credentials).decode()}"
        if not has_basic and (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return _json({"error": "invalid_client"}, 401)
        asked = self._codes.pop(form["code"], None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != proof or asked["redirect_uri"] != form["redirect_uri"]:
            return _json({"error": "invalid_grant"}, 400)
        at = int(self._now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "exp": at + 300, "iat": at, "nonce": asked["nonce"]} | self.claims
        self.change(claims)
        return _json({"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)})


def _fields(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
