"""Asking a provider: what it may answer, what is remembered, and what happens while it is away."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from msgspec.structs import replace
from openid_look_alike import CLIENT, KEY, OTHER_KEY, OpenIdLookAlike, openid_for, signed
from page_sink import CLOSE, Answer

from receiver.openid.asking import MAX_ANSWER
from receiver.openid.model import ProviderAway, TokenRefused
from receiver.openid.provider import Provider

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
REDIRECT = "https://tocsin.example/sso/callback"
DISCOVERY = "/realms/main/.well-known/openid-configuration"


class Seconds:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def look_alike():
    """A provider of this test alone."""
    look_alike = OpenIdLookAlike(lambda: NOW)
    look_alike.redirects.add(REDIRECT)
    yield look_alike
    look_alike.close()


@pytest.fixture
def openid(look_alike):
    return openid_for(look_alike.issuer, REDIRECT)


@pytest.fixture
def provider(openid, seconds):
    return Provider(openid, seconds)


def code_of(provider, verifier="v" * 43):
    to = provider.address(state="s", nonce="n", verifier=verifier)
    back = requests.get(to, allow_redirects=False, timeout=30).headers["Location"]
    return parse_qs(urlsplit(back).query)["code"][0]


def person_of(provider, code=None, verifier="v" * 43):
    return provider.person(code or code_of(provider), verifier=verifier, nonce="n", now=NOW)


def test_provider_is_described_once_an_hour(provider, look_alike, seconds):
    """And so are its keys."""
    for _ in range(3):
        assert person_of(provider).name == "cleo"
    assert (look_alike.asked("openid-configuration"), look_alike.asked("/keys")) == (1, 1)
    seconds.now += 3600
    person_of(provider)
    assert (look_alike.asked("openid-configuration"), look_alike.asked("/keys")) == (2, 2)


def test_provider_with_a_new_key_is_asked_for_it_once(provider, look_alike, seconds):
    """And not again within half a minute, however many tokens bear an unknown key."""
    person_of(provider)
    look_alike.keys = [KEY, OTHER_KEY]
    look_alike.sign = lambda claims: signed(claims, OTHER_KEY)
    with pytest.raises(TokenRefused, match="does not publish"):
        person_of(provider)
    assert look_alike.asked("/keys") == 1
    seconds.now += 30
    assert person_of(provider).name == "cleo"
    assert look_alike.asked("/keys") == 2
    look_alike.sign = lambda claims: signed(claims, KEY, kid="third")
    with pytest.raises(TokenRefused):
        person_of(provider)
    assert look_alike.asked("/keys") == 2


def test_provider_takes_the_secret_in_the_form_where_it_says_so(openid, look_alike):
    """Basic authentication otherwise."""
    look_alike.described["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert person_of(Provider(openid)).name == "cleo"
    asked = next(one for one in look_alike.received if one.path.endswith("/token"))
    assert "authorization" not in asked.headers


def test_provider_refuses_a_code_of_another_verifier_and_twice(provider):
    """PKCE: who has stolen a code cannot use it; nobody can use it again."""
    with pytest.raises(TokenRefused, match="invalid_grant"):
        person_of(provider, code_of(provider), verifier="w" * 43)
    code = code_of(provider)
    person_of(provider, code)
    with pytest.raises(TokenRefused, match="invalid_grant"):
        person_of(provider, code)


def test_provider_with_a_wrong_secret_is_a_matter_of_the_configuration(openid):
    """It is not the fault of whoever signs in; the text holds no secret."""
    provider = Provider(replace(openid, client_secret="wrong-s3cret"))
    with pytest.raises(ProviderAway, match="invalid_client") as raised:
        person_of(provider)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("described", "says"),
    [
        ({"issuer": "https://evil.example"}, "is of the issuer"),
        ({"issuer": None}, "is of the issuer"),
        ({"token_endpoint": "http://id.example/token"}, "no token_endpoint that begins with https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no authorization_endpoint"),
        ({"jwks_uri": ["x"]}, "no jwks_uri"),
    ],
)
def test_provider_that_describes_itself_wrong_is_not_used(provider, look_alike, described, says):
    """As another issuer, or with places on the way to which anybody listens."""
    look_alike.described = described
    with pytest.raises(ProviderAway, match=says):
        provider.described()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (500, "answered 500"),
        (Answer(302, {"Location": "/elsewhere"}), "answered 302"),
        (Answer(200, {}, b"<html>"), "no JSON object"),
        (Answer(200, {}, b"[1]"), "no JSON object"),
        (Answer(200, {}, b"[" * 100_000), "no JSON object"),
        (Answer(200, {}, b" " * (MAX_ANSWER + 1)), "more than 512 KiB"),
        (CLOSE, "cannot be reached"),
    ],
    ids=str,
)
def test_provider_that_answers_nonsense_is_away(provider, look_alike, answer, says):
    """Bounded in size, without redirects; the text says where and what."""
    look_alike.always(answer, path=DISCOVERY)
    with pytest.raises(ProviderAway, match=says):
        provider.described()


def test_provider_that_was_away_is_left_alone_for_some_seconds(provider, look_alike, seconds):
    """So that many who try at once do not all wait for it; then it is asked again."""
    look_alike.script(500, path=DISCOVERY)
    for _ in range(3):
        with pytest.raises(ProviderAway):
            provider.described()
    assert look_alike.asked("openid-configuration") == 1
    seconds.now += 5
    assert provider.described().token.endswith("/token")


def test_provider_without_keys_is_away(provider, look_alike):
    """Nothing could be proven."""
    look_alike.keys = []
    with pytest.raises(ProviderAway, match="no key that can sign"):
        provider.published()


def test_provider_says_where_to_sign_out_only_where_that_is_safe(openid, look_alike):
    """And asks nobody for it."""
    provider = Provider(openid)
    assert provider.end_session == ""
    provider.described()
    assert provider.end_session == f"{look_alike.issuer}/logout?client_id={CLIENT}"
    look_alike.described["end_session_endpoint"] = "javascript:alert(1)"
    other = Provider(openid)
    other.described()
    assert other.end_session == ""
