"""Signing in with a provider of OpenID Connect: who gets in, as whom, and everybody who must not."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from msgspec.structs import replace
from openid_look_alike import OTHER_KEY, SECRET, OpenIdLookAlike, openid_for, signed, unsigned
from receiver_over_store import token_of

from incidents.store.audit import Audit
from incidents.store.links import signing_key
from receiver.audit import TRAIL
from receiver.auth import ApiRole
from receiver.openid.provider import Provider

BASE = "https://tocsin.example"
CALLBACK = f"{BASE}/sso/callback"
COOKIE = "__Host-tocsin"
BEGUN = "__Host-tocsin_sso"


@pytest.fixture
def provider(clock):
    """A provider of this test alone."""
    look_alike = OpenIdLookAlike(clock)
    look_alike.redirects.add(CALLBACK)
    yield look_alike
    look_alike.close()


@pytest.fixture
def openid(provider):
    return openid_for(provider.issuer, CALLBACK)


@pytest.fixture
def app(deps, make_app, openid):
    return make_app(replace(deps, sign_in=Provider(openid)))


def begin(browser, there="/incidents"):
    """Begin to sign in, and return where the browser is sent."""
    sent = browser.get(f"/sso?next={there}")
    assert sent.status_code == 303
    return sent.headers["Location"]


def come_back(browser, to):
    """Let the provider sign somebody in, and return the path that it sends the browser back to."""
    back = requests.get(to, allow_redirects=False, timeout=30).headers["Location"]
    assert back.startswith(CALLBACK)
    return back.removeprefix(BASE)


def sign_in(browser, there="/incidents"):
    return browser.get(come_back(browser, begin(browser, there)))


def kept_sessions(links):
    with links.borrow() as link:
        return [key for key in link.one("KEYS", "*") if b"session" in key]


def is_in(browser):
    return browser.get("/incidents").status_code == 200


def audited(app, links):
    app.extensions[TRAIL].refusals.write()
    return [(each.entry.actor, each.entry.action, each.entry.outcome) for each in Audit(links).entries().entries]


def test_single_sign_on_lets_in_and_goes_on(stranger, app, links):
    """With the name that the provider says, the role of the group, to where one wanted; the audit log has it."""
    shown = stranger.get("/sign-in?next=/rules").text
    assert 'href="/sso?next=/rules"' in shown
    done = sign_in(stranger, "/rules")
    assert (done.status_code, done.headers["Location"]) == (303, "/rules")
    page = stranger.get("/incidents").text
    assert "<strong>cleo</strong>, responder" in page
    assert ("cleo", "GET /sso/callback", "done") in audited(app, links)


def test_single_sign_on_sends_with_all_that_protects(stranger, openid):
    """State, nonce and the challenge of PKCE are random each time; nothing secret stands in the address."""
    first, second = (parse_qs(urlsplit(begin(stranger)).query) for _ in range(2))
    assert first["ui"] == ["plain"]
    assert first["code_challenge_method"] == ["S256"]
    assert first["redirect_uri"] == [CALLBACK]
    assert not any(first[name] == second[name] for name in ("state", "nonce", "code_challenge"))
    assert SECRET not in str(first)


def test_single_sign_on_cookie_of_the_beginning_is_closed_and_short(stranger):
    """HttpOnly, Secure, SameSite=Lax, bound to the host, and gone once it was answered."""
    sent = stranger.get("/sso").headers.getlist("Set-Cookie")
    mine = next(each for each in sent if each.startswith(f"{BEGUN}="))
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=600"} <= {p.strip() for p in mine.split(";")}
    sign_in(stranger)
    assert stranger.client.get_cookie(BEGUN, domain="tocsin.example") is None


def test_single_sign_on_acts_under_the_name_of_the_provider(stranger, declare, links):
    """What somebody does is on the timeline under that name; forms need their token as in every session."""
    incident = declare()
    sign_in(stranger)
    assert stranger.client.post(f"/incidents/{incident.id}/notes", base_url=BASE, data={"text": "x"}).status_code == 403
    done = stranger.post(f"/incidents/{incident.id}/notes", text="I look at it")
    assert done.status_code == 303
    assert "cleo" in stranger.get(f"/incidents/{incident.id}").text


def test_single_sign_on_leaves_tokens_and_links_alone(stranger, provider, app):
    """With the provider away tokens sign in, the API answers and links of pages are shown; the page says so."""
    provider.close()
    away = stranger.get("/sso")
    assert away.status_code == 503
    assert "Sign in with an API token" in away.text
    assert stranger.get("/a/nonsense").status_code in {400, 404, 410}
    assert stranger.sign_in(token_of("amira")).status_code == 303
    headers = {"Authorization": f"Bearer {token_of('amira')}"}
    assert app.test_client().get("/api/v1/incidents", headers=headers).status_code == 200


def test_single_sign_on_gives_the_highest_role_of_the_groups(stranger, provider):
    """One group may be told as a text; groups that nobody configured give nothing."""
    for groups, role in ((["watchers"], "viewer"), (["x", "watchers", "chiefs"], "admin"), ("oncall", "responder")):
        provider.claims["groups"] = groups
        sign_in(stranger)
        assert f"<strong>cleo</strong>, {role}" in stranger.get("/incidents").text


def test_single_sign_on_without_a_group_of_ours_nobody_gets_in(stranger, provider, app, links):
    """403 with a name and what to do; it is audited, and no session, nor anything else of that person, is kept."""
    for groups in (None, [], ["football"], {"oncall": True}, [["oncall"]], "", [None, 7], "watchers oncall"):
        provider.claims["groups"] = groups
        refused = sign_in(stranger)
        assert refused.status_code == 403
        assert "no group of yours has a role here" in refused.text
    assert not is_in(stranger)
    assert ("cleo", "GET /sso/callback", "refused 403") in audited(app, links)
    assert not kept_sessions(links)


WRONG = {
    "nonce of another": {"nonce": "another"},
    "iss of another": {"iss": "https://evil.example"},
    "aud of another": {"aud": "another"},
    "expired": {"exp": 1},
}


def test_single_sign_on_refuses_tokens_that_prove_nothing(stranger, provider, app, links):
    """401, audited, and nobody is in; every other wrong token is tried in tests/receiver/test_openid_tokens.py."""
    for wrong in WRONG.values():
        provider.change = lambda claims, wrong=wrong: claims.update(wrong)
        assert sign_in(stranger).status_code == 401
    provider.change = lambda claims: None
    for sign in (unsigned, lambda claims: signed(claims, OTHER_KEY), lambda claims: "nonsense"):
        provider.sign = sign
        assert sign_in(stranger).status_code == 401
    assert not is_in(stranger)
    assert ("", "GET /sso/callback", "refused 401") in audited(app, links)
    assert not kept_sessions(links)


ANSWERS = {
    "another state": {"state": ["another"]},
    "no state": {"state": None},
    "no code": {"code": None},
    "a long code": {"code": ["x" * 5000]},
    "another issuer": {"iss": ["https://evil.example"]},
    "an error": {"error": ["access_denied"]},
}


def test_single_sign_on_refuses_answers_to_what_nobody_asked(stranger, provider):
    """403, and the provider is not even asked about the code."""
    for wrong in ANSWERS.values():
        back = come_back(stranger, begin(stranger))
        fields = parse_qs(urlsplit(back).query) | wrong
        query = {name: values[0] for name, values in fields.items() if values}
        assert stranger.get("/sso/callback", query_string=query).status_code == 403
    assert provider.asked("/token") == 0
    assert not is_in(stranger)


def test_single_sign_on_refuses_an_answer_in_another_browser(stranger, app):
    """Who lures somebody to the end of their own way in signs nobody in."""
    other = type(stranger)(app.test_client())
    back = come_back(stranger, begin(stranger))
    assert other.get(back).status_code == 403
    begin(other)
    assert other.get(back).status_code == 403
    assert not is_in(other)


def test_single_sign_on_refuses_a_code_twice(stranger, provider, app):
    """Even with the cookie kept, the provider takes no code again."""
    to = begin(stranger)
    cookie = stranger.client.get_cookie(BEGUN, domain="tocsin.example").value
    back = come_back(stranger, to)
    assert stranger.get(back).status_code == 303
    thief = type(stranger)(app.test_client())
    thief.client.set_cookie(BEGUN, cookie, domain="tocsin.example", secure=True)
    assert thief.get(back).status_code == 401
    assert not is_in(thief)


def test_single_sign_on_beginning_cannot_be_made_up_and_expires(stranger, clock, links):
    """A cookie that we did not sign, or that is older than ten minutes, begins nothing."""
    back = come_back(stranger, begin(stranger))
    clock.advance(minutes=10)
    assert stranger.get(back).status_code == 403
    back = come_back(stranger, begin(stranger))
    stranger.client.set_cookie(BEGUN, "e30.made-up", domain="tocsin.example", secure=True)
    assert stranger.get(back).status_code == 403
    with links.borrow() as link:
        assert signing_key(link)


def test_single_sign_on_refuses_names_of_others(stranger, provider):
    """Nobody stands on a timeline as a token, a source or Tocsin, or under a name that only looks like another."""
    for name in ("amira", "AMIRA", "prod", "tocsin", "Amira Okoye", "amira\u202e", "\u0430mira", "x" * 101):
        provider.claims["preferred_username"] = name
        assert sign_in(stranger).status_code == 403
    assert not is_in(stranger)


def test_single_sign_on_names_by_the_claim_that_is_configured(deps, make_app, openid, provider, stranger):
    """And by no other: without it nobody gets in. Groups that are addresses of mail have to be verified too."""
    named = replace(openid, name_claim="nick", groups_claim="email", roles={"cleo@example.org": ApiRole.ADMIN})
    provider.claims |= {"nick": "kleo", "email": "cleo@example.org", "email_verified": True}
    other = type(stranger)(make_app(replace(deps, sign_in=Provider(named))).test_client())
    sign_in(other)
    assert "<strong>kleo</strong>, admin" in other.get("/incidents").text
    provider.claims["email_verified"] = False
    assert sign_in(other).status_code == 403
    provider.claims |= {"nick": None, "email_verified": True}
    assert sign_in(other).status_code == 403


def test_single_sign_on_session_ends_with_what_opened_it(stranger, deps, make_app, openid):
    """With the provider, the client, its secret, the role of the group, or a token of that name; roles follow."""
    sign_in(stranger)
    cookie = stranger.client.get_cookie(COOKIE, domain="tocsin.example").value

    def seen_by(**changes):
        browser = type(stranger)(make_app(replace(deps, **changes)).test_client())
        browser.client.set_cookie(COOKIE, cookie, domain="tocsin.example", secure=True)
        answer = browser.get("/incidents")
        return answer.text if answer.status_code == 200 else ""

    assert "responder" in seen_by(sign_in=Provider(openid))
    assert "viewer" in seen_by(sign_in=Provider(replace(openid, roles={"oncall": ApiRole.VIEWER})))
    assert not seen_by()
    assert not seen_by(sign_in=Provider(replace(openid, client_secret="another")))
    assert not seen_by(sign_in=Provider(replace(openid, client_id="another")))
    assert not seen_by(sign_in=Provider(replace(openid, roles={"chiefs": ApiRole.ADMIN})))
    token = replace(deps.api_tokens[0], name="cleo")
    assert not seen_by(sign_in=Provider(openid), api_tokens=(token,))


def test_single_sign_on_signs_out_here_and_tells_of_the_provider(stranger, provider, browser_of):
    """Signing out ends the session at once, and leads to where the provider's own ends; a token's does not."""
    sign_in(stranger)
    done = stranger.post("/sign-out")
    assert done.headers["Location"] == "/sign-in?signed-out=here"
    assert not is_in(stranger)
    assert f'href="{provider.issuer}/logout?client_id=tocsin"' in stranger.get("/sign-in?signed-out=here").text
    assert browser_of("bo").post("/sign-out").headers["Location"] == "/sign-in"


def test_single_sign_on_is_not_there_unless_configured(deps, make_app, stranger):
    """Neither the button nor the addresses."""
    plain = type(stranger)(make_app(deps).test_client())
    assert "/sso" not in plain.get("/sign-in").text
    assert plain.get("/sso").status_code == 404
    assert plain.get("/sso/callback?code=x").status_code == 404


def test_single_sign_on_leads_to_no_other_site(stranger):
    """Whatever the link that began it said."""
    for there in ("//evil.example", "https://evil.example", r"/\evil.example"):
        assert sign_in(stranger, there).headers["Location"] == "/"


def test_single_sign_on_guessing_is_slowed_down(stranger):
    """As with tokens."""
    codes = [stranger.get("/sso/callback?code=x&state=y").status_code for _ in range(40)]
    assert (codes[0], codes[-1]) == (403, 429)


def test_single_sign_on_session_holds_as_long_as_others(stranger, clock):
    """A week, however often somebody looks."""
    sign_in(stranger)
    clock.now += timedelta(days=6, hours=23)
    assert is_in(stranger)
    clock.advance(hours=1)
    assert not is_in(stranger)


def test_single_sign_on_shares_status_pages_while_the_group_has_a_role(stranger, declare, deps, make_app, openid):
    """A link ends with the provider, and with the role of its maker's group."""
    incident = declare()
    sign_in(stranger)
    shown = stranger.post(f"/incidents/{incident.id}/share", days="7").text
    path = re.search(rf"{BASE}(/status/[^\"<\s]+)", shown)[1]

    def status_at(app):
        return type(stranger)(app.test_client()).get(path).status_code

    assert stranger.get(path).status_code == 200
    assert "cleo" in stranger.get(f"/incidents/{incident.id}/share").text
    assert status_at(make_app(deps)) == 404
    others = replace(openid, roles={"chiefs": ApiRole.ADMIN})
    assert status_at(make_app(replace(deps, sign_in=Provider(others)))) == 404
