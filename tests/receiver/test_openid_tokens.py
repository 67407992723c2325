"""What an ID token has to be to prove somebody, and everything that one can be instead."""

import base64
import hmac
from datetime import UTC, datetime

import pytest
from joserfc import jwk, jwt
from openid_look_alike import CLIENT, KEY, OTHER_KEY, SECRET, encoded, openid_for, signed, unsigned

from receiver.openid.addresses import is_safe_address
from receiver.openid.model import TokenRefused
from receiver.openid.tokens import UnknownKey, claims_of, keys_in, person_in

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER = "https://id.example"
OPENID = openid_for(ISSUER, "https://tocsin.example/sso/callback")
CLAIMS = {"iss": ISSUER, "aud": CLIENT, "exp": AT + 300, "iat": AT, "nonce": "n", "sub": "4711", "groups": ["oncall"]}
KEYS = keys_in({"keys": [KEY.as_dict(private=False)]})
DAY = 86_400


def read(token, keys=KEYS):
    return claims_of(token, keys, OPENID, "n", NOW)


def raw(head, claims, sign):
    text = f"{encoded(head)}.{encoded(claims)}"
    return f"{text}.{base64.urlsafe_b64encode(sign(text.encode())).rstrip(b'=').decode()}"


def by_the_public_key(claims):
    """Sign as with a secret that everybody knows: the text of the public key."""
    secret = KEY.as_pem(private=False)
    return raw({"alg": "HS256", "kid": "first"}, claims, lambda text: hmac.digest(secret, text, "sha256"))


def by_a_key_that_it_brings(claims):
    return signed(claims, OTHER_KEY, kid="first", jwk=OTHER_KEY.as_dict(private=False))


def changed_after(claims):
    head, _, signature = signed(claims).split(".")
    return f"{head}.{encoded(claims | {'groups': ['chiefs']})}.{signature}"


def of_other_claims(**changes):
    return lambda claims: signed({name: value for name, value in (claims | changes).items() if value is not None})


WRONG = {
    "alg none": unsigned,
    "alg None in capitals": lambda claims: raw({"alg": "NONE", "kid": "first"}, claims, lambda text: b""),
    "public key as secret": by_the_public_key,
    "a key that it brings": by_a_key_that_it_brings,
    "an unknown key": lambda claims: signed(claims, OTHER_KEY),
    "another key and none named": lambda claims: signed(claims, OTHER_KEY, kid=None),
    "payload not encoded": lambda claims: signed(claims, KEY, crit=["b64"], b64=False),
    "key of another algorithm": lambda claims: signed(claims, KEY, alg="RS512"),
    "changed": changed_after,
    "no signature": lambda claims: signed(claims).rpartition(".")[0] + ".",
    "another signature": lambda claims: signed(claims)[:-8] + "AAAAAAAA",
    "critical header": lambda claims: signed(claims, KEY, crit=["x"], x=1),
    "no token": lambda claims: "nonsense",
    "empty": lambda claims: "",
    "not ASCII": lambda claims: "ä.ö.ü",
    "too large": lambda claims: signed(claims | {"groups": ["x" * 300_000]}),
    "no object": lambda claims: f"{encoded({'alg': 'RS256'})}.{encoded([1])}.x",
    "header no object": lambda claims: f"{encoded([1])}.{encoded(claims)}.x",
    "nonce of another": of_other_claims(nonce="another"),
    "no nonce": of_other_claims(nonce=None),
    "nonce as list": of_other_claims(nonce=["n"]),
    "nonce of half a character": of_other_claims(nonce="\ud800"),
    "iss of another": of_other_claims(iss="https://evil.example"),
    "iss with a slash": of_other_claims(iss=f"{ISSUER}/"),
    "no iss": of_other_claims(iss=None),
    "aud of another": of_other_claims(aud="another"),
    "aud that begins alike": of_other_claims(aud=f"{CLIENT}-2"),
    "aud of others": of_other_claims(aud=["another", "third"]),
    "aud of several and no azp": of_other_claims(aud=[CLIENT, "another"]),
    "azp of another": of_other_claims(azp="another"),
    "no aud": of_other_claims(aud=None),
    "expired": of_other_claims(exp=AT - 61),
    "no exp": of_other_claims(exp=None),
    "exp as text": of_other_claims(exp=str(AT + 300)),
    "exp that is no number": of_other_claims(exp=float("nan")),
    "exp as truth": of_other_claims(exp=True),
    "of tomorrow": of_other_claims(iat=AT + DAY),
    "no iat": of_other_claims(iat=None),
    "not before tomorrow": of_other_claims(nbf=AT + DAY),
    "no sub": of_other_claims(sub=None),
    "sub as number": of_other_claims(sub=4711),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_openid_tokens_refuse_what_proves_nothing(make):
    """Whatever it says of algorithms, keys, times and parties."""
    with pytest.raises(TokenRefused):
        read(make(CLAIMS))


def test_openid_tokens_take_what_is_whole():
    """With a minute between the clocks, several audiences with us as the party, and headers that we do not know."""
    assert read(signed(CLAIMS))["sub"] == "4711"
    assert read(of_other_claims(exp=AT - 59, iat=AT + 59, aud=[CLIENT, "another"], azp=CLIENT)(CLAIMS))
    assert read(signed(CLAIMS, KEY, **{"x-more": "1"}))
    assert read(signed(CLAIMS, KEY, kid=None))  # the only key there is


def test_openid_tokens_say_which_key_lacks():
    """So that the keys are asked for again, and for that reason alone."""
    with pytest.raises(UnknownKey):
        read(signed(CLAIMS, OTHER_KEY))


def test_openid_keys_leave_out_what_cannot_sign():
    """Secrets, keys for encryption, broken ones and what is no key."""
    public = KEY.as_dict(private=False)
    odd = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        public | {"use": "enc", "kid": "enc"},
        {"kty": "RSA", "kid": "broken"},
        {"kty": "EC", "crv": "P-9", "x": 1, "kid": "odd"},
        7,
    ]
    assert list(keys_in({"keys": [*odd, public]})) == ["first"]
    assert keys_in({"keys": "x"}) == keys_in({}) == {}


def test_openid_tokens_of_curves_are_taken():
    """ES256 is what some providers sign with."""
    key = jwk.ECKey.generate_key("P-256", {"kid": "curve"})
    assert read(
        jwt.encode({"alg": "ES256", "kid": "curve"}, CLAIMS, key), keys_in({"keys": [key.as_dict(private=False)]})
    )


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "cleo", "email": "c@example.org", "email_verified": True}, "cleo"),
        ({"preferred_username": "", "email": "c@example.org", "email_verified": True}, "c@example.org"),
        ({"email": "c@example.org", "email_verified": "true"}, "c@example.org"),
        ({"email": "c@example.org", "email_verified": False}, "4711"),
        ({"email": "c@example.org", "email_verified": 1}, "4711"),
        ({"email": "c@example.org"}, "4711"),
        ({"preferred_username": ["cleo"]}, "4711"),
    ],
)
def test_openid_name_is_the_first_that_is_proven(claims, name):
    """An address of mail counts once it was verified; else it is the id."""
    assert person_in(CLAIMS | claims, OPENID).name == name


def test_openid_secret_is_not_shown():
    """Neither by `repr` nor in what sessions hang on."""
    assert SECRET not in repr(OPENID)
    assert SECRET.encode() not in OPENID.credential


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://id.example/realms/main", True),
        ("http://localhost:8080", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://id.example", False),
        ("http://localhost.evil.example", False),
        ("https://user:word@id.example", False),
        ("https://", False),
        ("ftp://id.example", False),
        ("https://id.example:x", False),
        ("https://id.example/\n", False),
        ("https://[id.example", False),
    ],
)
def test_openid_addresses_are_https_but_for_this_machine(url, is_safe):
    """On the way anybody could put a key of their own into the answer."""
    assert is_safe_address(url) is is_safe
