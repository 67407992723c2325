"""Holds an ID token against its provider's keys and against what was asked for, and says whom it is about. Pure.

The list of algorithms is ours and never the token's: `none`, and secrets in the place of public keys, prove nothing.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from receiver.openid.model import OpenId, Person, TokenRefused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
KINDS = frozenset({"RSA", "EC"})
LEEWAY = 60.0  # seconds that clocks may be apart
MAX_TOKEN = 256 * 1024
MOST_KEYS = 50
_REGISTRY = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)  # but `crit` is heeded
_REGISTRY.max_header_length = 8 * 1024
_REGISTRY.max_payload_length = MAX_TOKEN

Claims = Mapping[str, Any]
Keys = Mapping[str, jwk.Key]  # by key id


class UnknownKey(TokenRefused):
    """The token bears the id of a key that is not known (yet)."""


def keys_in(document: Mapping[str, Any]) -> Keys:
    """Return the public keys of a key set that can sign; those that we cannot use are left out."""
    listed = document.get("keys")
    found: dict[str, jwk.Key] = {}
    for each in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if not isinstance(each, dict) or each.get("kty") not in KINDS or each.get("use", "sig") != "sig":
            continue
        try:
            found[str(each.get("kid", ""))] = jwk.import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return found


def claims_of(token: str, keys: Keys, openid: OpenId, nonce: str, now: datetime) -> Claims:
    """Return what a token claims, once all of it is proven; raises `TokenRefused`, `UnknownKey` where a key lacks."""
    if len(token) > MAX_TOKEN:
        raise TokenRefused("the ID token is too large")
    claims = _signed(token, keys)
    _check_parties(claims, openid)
    _check_times(claims, now.timestamp())
    if not hmac.compare_digest(_text(claims, "nonce").encode("utf-8", "replace"), nonce.encode()):
        raise TokenRefused("the ID token answers another request (nonce)")
    if not _text(claims, "sub"):
        raise TokenRefused("the ID token has no sub")
    return claims


def person_in(claims: Claims, openid: OpenId) -> Person:
    """Return whom proven claims are about."""
    return Person(name=_name(claims, openid.name_claim), groups=openid.groups_of_ours(_groups(claims, openid)))


def _signed(token: str, keys: Keys) -> Claims:
    try:
        raw = token.encode("ascii")
        header = jws.extract_compact(raw, registry=_REGISTRY).headers()
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise TokenRefused("the ID token is signed by an algorithm that is not allowed")
        key = _key(header, keys)
        if key.get("alg", algorithm) != algorithm:
            raise TokenRefused("the ID token is signed by an algorithm that its key is not for")
        return jwt.decode(raw, key, list(ALGORITHMS), _REGISTRY).claims
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TokenRefused(f"the ID token is not signed by the provider ({type(error).__name__})") from error


def _key(header: Mapping[str, Any], keys: Keys) -> jwk.Key:
    """Return the key that a header names; one that names none can mean the only one there is."""
    named = header.get("kid")
    if named is None and len(keys) == 1:
        return next(iter(keys.values()))
    key = keys.get(named) if isinstance(named, str) else None
    if key is None:
        raise UnknownKey("the ID token is signed by a key that the provider does not publish")
    return key


def _check_parties(claims: Claims, openid: OpenId) -> None:
    if claims.get("iss") != openid.issuer:
        raise TokenRefused("the ID token is of another issuer (iss)")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if openid.client_id not in audiences:
        raise TokenRefused("the ID token is meant for another client (aud)")
    if claims.get("azp", openid.client_id if len(audiences) == 1 else None) != openid.client_id:
        raise TokenRefused("the ID token was given to another client (azp)")


def _check_times(claims: Claims, now: float) -> None:
    if not now < _number(claims, "exp") + LEEWAY:
        raise TokenRefused("the ID token has expired (exp)")
    for claim in ("iat", "nbf"):
        if (claim == "iat" or claim in claims) and not _number(claims, claim) - LEEWAY <= now:
            raise TokenRefused(f"the ID token is of the future ({claim})")


def _number(claims: Claims, claim: str) -> float:
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(f"the ID token has no {claim}")
    return value


def _text(claims: Claims, claim: str) -> str:
    value = claims.get(claim)
    return value if isinstance(value, str) else ""


def _is_proven(claims: Claims, claim: str) -> bool:
    """Tell whether a claim counts: an address of mail that nobody has verified may be anybody's."""
    if claim != "email":
        return True
    verified = claims.get("email_verified")
    return verified is True or verified == "true"  # as a text: some providers say it so


def _name(claims: Claims, name_claim: str) -> str:
    asked = (name_claim,) if name_claim else ("preferred_username", "email", "sub")
    return next((text for claim in asked if (text := _text(claims, claim)) and _is_proven(claims, claim)), "")


def _groups(claims: Claims, openid: OpenId) -> list[str]:
    if not _is_proven(claims, openid.groups_claim):
        return []
    value = claims.get(openid.groups_claim)
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str)]
