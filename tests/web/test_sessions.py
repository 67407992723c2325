"""Signing in, the session behind the pages, and everything that must not open or use one."""

import msgspec
import pytest
from flask import Flask

from incidents import keys
from incidents.store.sessions import Sessions
from receiver.app import create_app
from receiver.web.guard import local

COOKIE = "__Host-tocsin"
BASE = "https://tocsin.example"


def cookie_of(browser):
    found = browser.client.get_cookie(COOKIE, domain="tocsin.example")
    return found.value if found else ""


def test_sessions_strangers_are_sent_to_sign_in_and_back(stranger):
    """A page asks for a session first, and signing in goes on to where one wanted to go."""
    refused = stranger.get("/incidents?severity=SEV1")
    assert refused.status_code == 303
    assert refused.headers["Location"] == "/sign-in?next=/incidents%3Fseverity%3DSEV1"
    opened = stranger.sign_in("token-of-amira", "/incidents?severity=SEV1")
    assert opened.status_code == 303
    assert opened.headers["Location"] == "/incidents?severity=SEV1"
    assert stranger.get("/incidents").status_code == 200


@pytest.mark.parametrize("there", ["//evil.example", "https:evil.example", r"\\evil.example", r"/\evil.example"])
def test_sessions_signing_in_leads_to_no_other_site(stranger, there):
    """Whatever the link to the form said."""
    assert 'name="next" value="/"' in stranger.get("/sign-in", query_string={"next": there}).text
    assert stranger.sign_in("token-of-amira", there).headers["Location"] == "/"


def test_sessions_without_any_token_it_says_what_to_do(deps):
    """Nobody can sign in yet, and the page says how that changes."""
    client = create_app(msgspec.structs.replace(deps, api_tokens=())).test_client()
    page = client.get("/sign-in", base_url=BASE).text
    assert "No API token exists yet" in page
    assert "tocsin token" in page


def test_sessions_cookie_is_closed_to_scripts_and_other_sites(stranger):
    """HttpOnly, Secure where the outside is https, SameSite, and bound to the host by its name."""
    cookies = stranger.sign_in("token-of-amira").headers.getlist("Set-Cookie")
    mine = next(each for each in cookies if each.startswith(f"{COOKIE}="))
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= {part.strip() for part in mine.split(";")}
    assert "Domain" not in mine


def test_sessions_wrong_tokens_are_all_answered_alike(stranger, links):
    """401 without a word on what was nearly right; the audit log counts them, and no token stands there."""
    answers = {stranger.sign_in(token).text.split("knock")[0] for token in ("token-of-amirA", "nonsense", "toc_x")}
    assert len(answers) == 1
    assert stranger.sign_in("nonsense").status_code == 401
    assert cookie_of(stranger) == ""


def test_sessions_guessing_is_slowed_down(stranger):
    """After some thirty tries at once, an address waits."""
    codes = [stranger.sign_in(f"guess-{number}").status_code for number in range(40)]
    assert codes[0] == 401
    assert codes[-1] == 429


def test_sessions_signing_in_takes_a_form_of_this_browser(stranger, app):
    """A form that another site sends, or that was shown to somebody else, signs nobody in."""
    other = app.test_client()
    refused = other.post("/sign-in", base_url=BASE, data={"token": "token-of-amira", "knock": "x"})
    assert refused.status_code == 403
    assert other.get_cookie(COOKIE, domain="tocsin.example") is None


def test_sessions_id_is_never_the_one_that_came_along(stranger, links):
    """A cookie that somebody planted does not become the session of who signs in."""
    stranger.client.set_cookie(COOKIE, "planted", domain="tocsin.example", secure=True)
    stranger.sign_in("token-of-amira")
    assert cookie_of(stranger) not in {"", "planted"}
    with links.borrow() as link:
        stored = b" ".join(link.one("KEYS", "*"))
    assert cookie_of(stranger).encode() not in stored


def test_sessions_end_at_once_by_signing_out(amira):
    """The old cookie opens nothing any more, stolen or not."""
    stolen = cookie_of(amira)
    assert amira.post("/sign-out").status_code == 303
    amira.client.set_cookie(COOKIE, stolen, domain="tocsin.example", secure=True)
    assert amira.get("/incidents").status_code == 303


def test_sessions_end_everywhere(browser_of):
    """Signing out everywhere ends the sessions of that person, and nobody else's."""
    phone, desk, other = browser_of("amira"), browser_of("amira"), browser_of("bo")
    phone.post("/sign-out/everywhere")
    assert desk.get("/incidents").status_code == 303
    assert other.get("/incidents").status_code == 200


def test_sessions_id_changes_every_hour_and_dies_with_its_successor(amira, clock):
    """The new id holds; signing out ends the one before it too."""
    before = cookie_of(amira)
    clock.advance(hours=1)
    assert amira.get("/incidents").status_code == 200
    after = cookie_of(amira)
    assert after != before
    amira.post("/sign-out")
    amira.client.set_cookie(COOKIE, before, domain="tocsin.example", secure=True)
    assert amira.get("/incidents").status_code == 303


def test_sessions_end_after_a_week(amira, clock):
    """However often somebody looks."""
    clock.advance(days=7)
    assert amira.get("/incidents").status_code == 303


def test_sessions_end_with_their_token(deps, amira, links):
    """Who is taken out of the configuration, or whose token is changed, is out after the next start."""
    kept = cookie_of(amira)
    other = msgspec.structs.replace(deps.api_tokens[0], token_hashes=deps.api_tokens[1].token_hashes)
    for tokens in (deps.api_tokens[1:], (other,)):
        client = create_app(msgspec.structs.replace(deps, api_tokens=tokens)).test_client()
        client.set_cookie(COOKIE, kept, domain="tocsin.example", secure=True)
        assert client.get("/incidents", base_url=BASE).status_code == 303


def test_sessions_take_the_role_of_the_configuration(browser_of, declare):
    """A viewer reads and is shown no buttons; sending the form all the same is refused and changes nothing."""
    incident = declare()
    viewer = browser_of("val")
    page = viewer.get(f"/incidents/{incident.id}").text
    assert "data-acknowledge" not in page
    assert viewer.post(f"/incidents/{incident.id}/acknowledge").status_code == 403


@pytest.mark.parametrize("csrf", ["", "00" * 64, "x", "é"])
def test_sessions_forms_need_their_token(amira, declare, incidents, csrf):
    """A form without the token of the session does nothing."""
    incident = declare()
    answer = amira.client.post(f"/incidents/{incident.id}/acknowledge", base_url=BASE, data={"csrf": csrf})
    assert answer.status_code == 403
    assert incidents.get(incident.id)[0].acknowledged_at is None


def test_sessions_forms_of_other_sites_are_refused(amira, browser_of, declare, incidents):
    """Neither the token of another session nor a browser that says `cross-site` passes."""
    incident = declare()
    path = f"/incidents/{incident.id}/acknowledge"
    other = browser_of("bo").get("/incidents").text
    foreign = other.split('name="csrf" value="')[1].split('"')[0]
    assert amira.client.post(path, base_url=BASE, data={"csrf": foreign}).status_code == 403
    own = amira.get("/incidents").text.split('name="csrf" value="')[1].split('"')[0]
    said = {"Sec-Fetch-Site": "cross-site", "HX-Request": "true"}
    assert amira.client.post(path, base_url=BASE, data={"csrf": own}, headers=said).status_code == 403
    assert incidents.get(incident.id)[0].acknowledged_at is None


@pytest.mark.parametrize(
    "there", ["//evil", "https:evil", "https://evil", r"\\evil", r"/\evil", "evil", "/a\nb", "", "javascript:alert(1)"]
)
def test_sessions_go_on_to_paths_of_ours_only(there):
    """Whatever else stands after `next` becomes the first page."""
    assert local(there) == "/"
    assert local("/incidents/INC-2026-0001?show=people") == "/incidents/INC-2026-0001?show=people"


def test_sessions_open_by_a_link_once(stranger, links):
    """Looking uses nothing up; the button signs in, and the second time the link is gone."""
    secret = Sessions(links).make_link("ada")
    path = f"/sign-in/{secret}"
    for _ in range(2):
        shown = stranger.get(path)
        assert shown.status_code == 200
    knock = shown.text.split('name="knock" value="')[1].split('"')[0]
    assert stranger.client.post(path, base_url=BASE, data={"knock": knock}).status_code == 303
    assert "ada" in stranger.get("/incidents").text
    again = stranger.get(path).text.split('name="knock" value="')[1].split('"')[0]
    assert stranger.client.post(path, base_url=BASE, data={"knock": again}).status_code == 410


def test_sessions_link_of_another_browser_is_refused_without_being_told(stranger, links):
    """It stays whole, and its secret comes into no log of refused credentials."""
    secret = Sessions(links).make_link("ada")
    answer = stranger.client.post(f"/sign-in/{secret}", base_url=BASE, data={"knock": "x"})
    assert answer.status_code == 400
    assert Sessions(links).use_link(secret) == "ada"


def test_sessions_are_in_the_audit_log(amira, links):
    """Who signed in and out, and when."""
    amira.post("/sign-out")
    with links.borrow() as link:
        log = b" ".join(fields[1] for _, fields in link.one("XRANGE", keys.audit(), "-", "+"))
    assert b"POST /sign-in" in log
    assert b"POST /sign-out" in log


def test_sessions_lose_nothing_that_was_typed(amira, declare, app: Flask):
    """Where the session is over, the answer to a form holds its text."""
    incident = declare()
    gone = app.test_client()
    answer = gone.post(f"/incidents/{incident.id}/notes", base_url=BASE, data={"text": "rolling back now", "csrf": "x"})
    assert answer.status_code == 401
    assert "rolling back now" in answer.text
