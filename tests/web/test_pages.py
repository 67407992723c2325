"""The list and the page of an incident: what stands there, for whom, and how much it weighs."""

import gzip
import html
import json
import re
from datetime import timedelta

import msgspec
import pytest

from incidents import keys
from incidents.alert import AlertState
from incidents.clock import to_ms
from incidents.events import Acknowledge, Note, RoleGiven
from incidents.incident import Objective
from incidents.paging.upcoming import upcoming
from incidents.store.codec import encode
from incidents.values import AlertStatus, Role
from receiver.web import PAGES
from receiver.web.health import health_in
from receiver.web.rendering import coded, http, span

BASE = "https://tocsin.example"
HOSTILE = "<script>alert(1)</script> {{ ''.__class__ }} {% for x in y %} <img src=x onerror=alert(2)>"


@pytest.fixture
def firing(links, clock):
    """Gives an incident an alert that fires."""

    def fires(incident, name="NodeDown", *, url="https://prometheus.example/graph", **annotations):
        state = AlertState(
            source="prod",
            fingerprint=f"{name}-{incident.id}",
            status=AlertStatus.FIRING,
            labels={"alertname": name, "service": 'd"b'},
            annotations=annotations,
            generator_url=url,
            starts_at=clock.now,
            received_at=clock.now,
            incidents=(incident.id,),
        )
        key = f"prod/{state.fingerprint}"
        with links.borrow() as link:
            link.one("HSET", keys.alerts(), key, encode(state))
            link.one("ZADD", keys.alerts_seen(), to_ms(clock.now), key)
            link.one("SADD", keys.incident_alerts(incident.id), key)

    return fires


def titles(page):
    return re.findall(r'<h2><a href="[^"]*">([^<]*)</a></h2>', page)


def facts(page):
    """Return the facts of a page as plain text."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.index("</main>")]))


def test_pages_list_puts_first_what_nobody_took(amira, declare, incidents, clock):
    """Unacknowledged ones by severity, then those that somebody is on."""
    taken = declare("one", severity="SEV1", title="Taken")
    incidents.apply(taken.id, Acknowledge(actor="bo", note=""), now=clock.now)
    declare("two", severity="SEV3", title="Small")
    declare("three", severity="SEV2", title="Grave")
    page = amira.get("/incidents").text
    assert titles(page) == ["Grave", "Small", "Taken"]
    assert "not acknowledged" in page
    assert "Service db" not in page


def test_pages_list_is_filtered_by_its_address(amira, declare, incidents, clock):
    """Severity, status and words; what does not exist is said."""
    done = declare("one", severity="SEV1", title="Payments fail")
    declare("two", severity="SEV2", title="Mails wait")
    assert titles(amira.get("/incidents?severity=SEV1").text) == ["Payments fail"]
    assert titles(amira.get("/incidents?q=mails+TWO").text) == ["Mails wait"]
    incidents.apply(done.id, Acknowledge(actor="bo", note=""), now=clock.now)
    assert titles(amira.get("/incidents?status=acknowledged").text) == ["Payments fail"]
    assert titles(amira.get("/incidents?status=all&team=default").text) == ["Mails wait", "Payments fail"]
    assert amira.get("/incidents?status=opened").status_code == 400


def test_pages_list_is_given_to_spreadsheets(amira, stranger, declare):
    """What its filter finds, and not its page alone; without what a spreadsheet would compute."""
    for number in range(53):
        declare(f"s{number}", severity="SEV1" if number else "SEV3", title=f"=HYPERLINK({number})")
    address = re.search(r'<a href="([^"]+)" download>', amira.get("/incidents?severity=SEV1").text)[1]
    answer = amira.get(html.unescape(address))
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.text.count(",'=HYPERLINK(") == 52
    assert ",=HYPERLINK(" not in answer.text
    assert stranger.get("/incidents.csv").status_code == 303


def test_pages_list_goes_on_on_further_pages(amira, declare):
    """Fifty at a time, none twice."""
    for number in range(53):
        declare(f"s{number}", title=f"Number {number}")
    first = amira.get("/incidents").text
    more = re.search(r'<p class="more"><a class="button" href="([^"]+)"', first)[1]
    assert len(titles(first)) == 50
    assert sorted(titles(first) + titles(amira.get(more).text)) == sorted(f"Number {each}" for each in range(53))


def test_pages_incident_says_first_what_is_needed_at_night(amira, declare, incidents, firing, clock):
    """Severity, status, age, commander, who is paged next and when, the button, the links."""
    incident = declare(severity="SEV1", title="Checkout is down")
    firing(incident, runbook_url="https://runbooks.example/checkout")
    clock.advance(minutes=2)
    page = amira.get(f"/incidents/{incident.id}").text
    lead = page[page.index('<section class="lead') : page.index("</section>")]
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", lead))
    assert "SEV1 not acknowledged" in said
    assert "Commander amira" in said
    assert "bo in 2 min 59 s" in said
    assert f'action="/incidents/{incident.id}/acknowledge"' in lead
    assert 'href="https://runbooks.example/checkout"' in lead
    assert 'href="https://prometheus.example/graph"' in lead
    assert "https://alertmanager.example/#/silences/new?filter=%7Balertname%3D%22NodeDown%22%2C" in page


def test_pages_incident_is_acknowledged_by_its_button(amira, declare, incidents):
    """The form is the call of the API; what came of it is told once."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    assert amira.post(f"{path}/acknowledge", path).status_code == 303
    assert incidents.get(incident.id)[0].acknowledged_by == "amira"
    assert "Acknowledged: you are on it" in amira.get(path).text
    assert "Acknowledged: you are on it" not in amira.get(path).text


def test_pages_second_to_acknowledge_is_told_who_was_first(amira, browser_of, declare):
    """As over the API: no error."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    bo = browser_of("bo")
    token = bo.get(path).text.split('name="csrf" value="')[1].split('"')[0]
    amira.post(f"{path}/acknowledge", path)
    bo.client.post(f"{path}/acknowledge", base_url=BASE, data={"csrf": token})
    assert "amira acknowledged it at" in bo.get(path).text


@pytest.mark.parametrize(
    ("command", "fields", "told"),
    [
        ("notes", {"text": "rolling back"}, "Written on the timeline"),
        ("mitigate", {"note": ""}, "Mitigated"),
        ("escalate", {"severity": "SEV1", "page": ""}, ""),
        ("roles", {"role": "communications", "person": "bo"}, ""),
        ("roles", {"role": "communications", "person": ""}, ""),
        ("actions", {"kind": "rollback", "text": "to 1.2"}, ""),
        ("communications", {"audience": "board", "text": "on it", "send": "false"}, "nothing was sent"),
        ("resolve", {"note": "", "override": ""}, "Resolved"),
        ("dismiss", {"reason": "a test"}, "Dismissed"),
    ],
)
def test_pages_commands_are_those_of_the_api(amira, declare, incidents, command, fields, told):
    """Each form does what its call does."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    assert amira.post(f"{path}/{command}", path, **fields).status_code == 303
    assert told in amira.get(path).text


def test_pages_refused_end_says_where_to_write_why(amira, declare, links):
    """Objectives that are unmet are named, and the hint is about the form and not about JSON."""
    incident = declare()
    verified = Objective(id="verified", text="The data was verified", kind="manual")
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(msgspec.structs.replace(incident, objectives=(verified,))))
    path = f"/incidents/{incident.id}"
    answer = amira.post(f"{path}/resolve", path, note="")
    assert answer.status_code == 409
    assert "The data was verified" in answer.text
    assert "Say below why that does not matter" in answer.text
    assert re.search(r"<details open[^>]*><summary>Resolve</summary>", answer.text)
    assert re.search(r'<textarea name="override"[^>]* autofocus', answer.text)
    assert "Not met yet: The data was verified." in facts(answer.text)
    assert "override&#34;:" not in answer.text


def test_pages_closed_incident_says_how_long_it_lasted(amira, declare, clock):
    """And neither grows older nor speaks of who is paged next."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    clock.advance(minutes=20)
    amira.post(f"{path}/resolve", path, note="")
    clock.advance(hours=3)
    said = facts(amira.get(path).text)
    assert "Lasted 20 min" in said
    assert "Paged next" not in said
    assert "Began" in facts(amira.get("/incidents?status=resolved").text)


def test_pages_refused_command_keeps_what_was_typed(amira, declare):
    """The page comes back with the reason, and with the text."""
    incident = declare()
    path = f"/incidents/{incident.id}"
    amira.post(f"{path}/dismiss", path, reason="a test")
    answer = amira.post(f"{path}/mitigate", path, note="done by hand")
    assert answer.status_code == 409
    assert "does not take mitigate" in answer.text
    assert "readonly>done by hand</textarea>" in answer.text
    unfit = amira.post("/declare", "/declare", title=" ", severity="SEV2", summary="all of it")
    assert unfit.status_code == 422
    assert "all of it" in unfit.text


def test_pages_declare_by_hand(amira, incidents):
    """And see it at once."""
    answer = amira.post("/declare", "/declare", title="It burns", severity="SEV2", service="oven", summary="")
    assert answer.status_code == 303
    incident, _ = incidents.get(answer.headers["Location"].rpartition("/")[2])
    assert (incident.title, incident.identity) == ("It burns", {"service": "oven"})


def test_pages_timeline_is_filtered_and_folded(amira, declare, incidents, clock, links):
    """People's entries apart from those of alerts; older ones on further pages."""
    incident = declare()
    for number in range(120):
        incidents.apply(incident.id, Note(actor="bo", text=f"note {number}"), now=clock.now)
    path = f"/incidents/{incident.id}"
    page = amira.get(f"{path}?show=people").text
    assert "note 119" in page
    assert "note 10<" not in page
    earlier = re.search(r'<a class="button" href="([^"]+)">Earlier', page)[1].replace("&amp;", "&")
    assert "note 10<" in amira.get(earlier).text
    assert "note 119" not in amira.get(f"{path}?show=alerts").text
    assert amira.get(f"{path}?show=everything").status_code == 400


def test_pages_merged_incident_leads_to_the_one_that_goes_on(amira, declare):
    """The list says of what it is part; its address shows the other, and says so."""
    one, other = declare("shop"), declare("shop-app")
    amira.post(f"/incidents/{one.id}/merge", "/incidents", into=other.id, note="")
    assert f"part of {other.id}" in amira.get("/incidents?status=all").text
    assert f"{one.id} was merged into {other.id}" in amira.get(f"/incidents/{one.id}").text
    assert "was merged into" not in amira.get(f"/incidents/{other.id}").text.split("<h1")[0]


def test_pages_have_one_command_that_stands_out(amira, declare):
    """Acknowledge first, then the next step towards the end."""
    path = f"/incidents/{declare().id}"
    for command, first in (("acknowledge", "Mitigate"), ("mitigate", "Resolve")):
        assert command == "mitigate" or 'class="first"' not in amira.get(path).text
        amira.post(f"{path}/{command}", path, note="")
        assert re.findall(r'class="first"><summary>(\w+)', amira.get(path).text) == [first]


def test_pages_restricted_incidents_do_not_exist_for_others(amira, browser_of, declare, links, incidents):
    """Neither on the list nor by their address, nor to any command."""
    incident = declare("ledger", title="A secret")
    hidden = msgspec.structs.replace(
        incident, restricted=True, roles=msgspec.structs.replace(incident.roles, incident_commander=None), paged=()
    )
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(hidden))
    path = f"/incidents/{incident.id}"
    assert "A secret" not in amira.get("/incidents").text
    for route in (each for table in PAGES for each in table if "{incident_id}" in each.path):
        address = re.sub(r"\{\w+\}", "acknowledge", route.path.replace("{incident_id}", incident.id))
        if route.method == "GET":
            answer = amira.get(address)
        else:
            answer = amira.post(address, "/incidents", text="x", state="review", days="1", part="summary")
        assert answer.status_code == 404, address
        assert "A secret" not in answer.text
    assert "A secret" in browser_of("ada").get(path).text


@pytest.mark.parametrize("name", ["INC-2026-9999", "INC-1", "x", "INC-2026-0001%0a", "..%2f..", "INC-\uff12026-1"])
def test_pages_unknown_incidents_are_not_found(amira, name):
    """A page says so, and what was asked for stands there as text."""
    answer = amira.get(f"/incidents/{name}")
    assert answer.status_code == 404
    assert "text/html" in answer.content_type or name == "..%2f.."


def test_pages_show_an_alert_as_json(amira, declare, firing, clock):
    """What is kept of it, to copy: its source, when it came, and where it is from; what does not show is escaped."""
    incident = declare()
    firing(incident, description="two\nlines \u202egnp.exe </pre><script>")
    for path in (f"/incidents/{incident.id}", f"/incidents/{incident.id}/alerts"):
        shown = re.search(r'<pre class="text raw"[^>]*>(.*?)</pre>', amira.get(path).text, re.DOTALL)[1]
        kept = json.loads(html.unescape(shown))
        assert kept["annotations"] == {"description": "two\nlines \u202egnp.exe </pre><script>"}
        assert (kept["source"], kept["generator_url"]) == ("prod", "https://prometheus.example/graph")
        assert kept["received_at"] == kept["starts_at"] != kept["ends_at"]
        assert "\u202e" not in shown


def test_pages_show_hostile_text_as_text(amira, declare, incidents, firing, clock):
    """Nothing of it runs, is compiled, or becomes a link."""
    incident = declare(title=HOSTILE)
    incidents.apply(incident.id, Note(actor="bo", text=HOSTILE), now=clock.now)
    firing(incident, HOSTILE, url="data:text/html,x", runbook_url="javascript:alert(3)", dashboard_url="https:evil")
    for path in ("/incidents", f"/incidents/{incident.id}", f"/incidents/{incident.id}/alerts"):
        page = amira.get(path).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ &#39;&#39;.__class__ }} {% for x in y %}" in page
        assert "<img src=x" not in page
        assert not re.search(r'href="(?!https?://|/|#)', page)


def test_pages_policy_allows_nothing_inline(amira, declare, firing):
    """No script, style or handler stands in any page, and the headers forbid them."""
    incident = declare()
    firing(incident, summary="Down")
    for path in ("/incidents", f"/incidents/{incident.id}", "/declare", "/incidents/nothing"):
        answer = amira.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", answer.text)


def test_pages_ignore_claimed_hosts(amira, declare):
    """Links are made from the configuration, whatever a header says."""
    incident = declare()
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    page = amira.get(f"/incidents/{incident.id}", headers=forged).text
    assert f"https://tocsin.example/incidents/{incident.id}" in page
    assert "evil.example" not in page


def test_pages_assets_are_kept_for_ever_by_their_contents(stranger):
    """Their address changes with them; another one is not found."""
    page = stranger.get("/sign-in").text
    for name in ("tocsin.css", "tocsin.js", "icon.svg"):
        address = re.search(rf'"(/assets/[0-9a-f]+/{name})"', page)[1]
        answer = stranger.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert stranger.get(address.replace("/assets/", "/assets/0")).status_code == 404


def test_pages_weigh_little(amira, declare, incidents, clock, firing):
    """200 entries under 60 KB, and with style and script under 120 KB, as they go over the wire."""
    incident = declare(title="A title of some length, as alerts have them, about checkout and payments")
    for number in range(200):
        text = f"note {number}: {number * 7919 % 10007} requests failed on node-{number * 31 % 97}; looking further"
        incidents.apply(incident.id, Note(actor="bo", text=text), now=clock.now)
        clock.advance(seconds=number % 13)
    before = amira.get(f"/incidents/{incident.id}").text
    last = re.search(r"before=([0-9-]+)", before)[1]
    packed = {"Accept-Encoding": "gzip"}
    answer = amira.get(f"/incidents/{incident.id}?before={int(last.split('-')[0]) + 10**12}-0", headers=packed)
    html = len(answer.data)
    assert gzip.decompress(answer.data).count(b"data-row") == 200
    assert html < 60_000
    files = re.findall(r'"(/assets/[^"]+)"', before)
    assert html + sum(len(amira.get(each, headers=packed).data) for each in set(files)) < 120_000


def test_pages_alerts_are_shown_page_by_page(amira, declare, firing):
    """All of them, with their labels."""
    incident = declare()
    for number in range(3):
        firing(incident, f"Alert{number}")
    page = amira.get(f"/incidents/{incident.id}/alerts").text
    assert all(f"Alert{number}" in page for number in range(3))


def test_upcoming_says_who_is_paged_next(declare, incidents, rules, clock):
    """The next step while nobody is on it, and nobody once somebody is."""
    incident = declare()
    coming = upcoming(incident, rules.oncall)
    assert (coming.people, coming.at) == (("bo",), incident.paging.next_at)
    taken = incidents.apply(incident.id, Acknowledge(actor="bo", note=""), now=clock.now).incident
    assert upcoming(taken, rules.oncall) == (None, (), "bo acknowledged", False)


def test_upcoming_is_alarming_where_nobody_will_be_told(declare, rules):
    """After the last round, and where a step reaches nobody."""
    incident = declare()
    last = msgspec.structs.replace(incident.paging, round=3, step=2)
    at_end = upcoming(msgspec.structs.replace(incident, paging=last), rules.oncall)
    assert at_end.alarming
    assert at_end.people == ()
    exhausted = msgspec.structs.replace(last, next_at=None)
    assert upcoming(msgspec.structs.replace(incident, paging=exhausted), rules.oncall).alarming


def test_chat_text_is_plain_and_in_utc(amira, declare, incidents, clock):
    """What is pasted into a chat names the incident, its impact, its commander and its address."""
    incident = declare(title="Checkout is down", severity="SEV1")
    incidents.apply(
        incident.id, RoleGiven(actor="bo", role=Role.COMMUNICATIONS, person="bo", at_once=True), now=clock.now
    )
    page = amira.get(f"/incidents/{incident.id}").text
    text = page.split("data-chat>")[1].split("</textarea>")[0]
    assert text.startswith(f"SEV1 declared: Checkout is down ({incident.id})")
    assert "Declared: 2026-01-05T09:00:00Z" in text
    assert text.endswith(f"https://tocsin.example/incidents/{incident.id}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Use `tocsin token`.", "Use <code>tocsin token</code>."),
        ("It`s <b>", "It`s &lt;b&gt;"),
        ("`<b>` & `x`", "<code>&lt;b&gt;</code> &amp; <code>x</code>"),
    ],
)
def test_coded_shows_commands_as_such(text, shown):
    """What stands between backticks; everything is escaped."""
    assert coded(text) == shown


@pytest.mark.parametrize(
    ("address", "followed"),
    [
        ("https://a.example/x?y=1#z", True),
        ("http://a.example", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("https:evil", False),
        ("//evil.example", False),
        ("java\nscript:alert(1)", False),
        ("https://a.example/\u0000", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_http_lets_only_the_web_be_followed(address, followed):
    """Any other address is not a link."""
    assert http(address) == (address if followed else "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (700, "11 min"),
        (7500, "2 h 5 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_span_is_short_and_exact_where_it_matters(seconds, text):
    """Its two greatest units; seconds only below ten minutes."""
    assert span(timedelta(seconds=seconds)) == text


def test_health_is_loud_about_what_is_wrong(now):
    """Silent workers, a store away, lag and quarantine are each a sentence; well, it is one quiet line."""
    well = {
        "store": {"up": True, "problems": []},
        "reasons": [],
        "intake": {"pending": 0, "lag_seconds": 0.0},
        "workers": [{"queue": "tocsin-decide", "last_seen": now.isoformat()}],
        "journal": None,
        "rules": None,
        "quarantine": 0,
        "sources": [{"name": "prod", "last_heard": None}],
    }
    assert health_in(well, now).wrong == ()
    ill = well | {
        "intake": {"pending": 3, "lag_seconds": 90.0},
        "workers": [{"queue": "tocsin-decide", "last_seen": None}],
        "quarantine": 2,
    }
    assert len(health_in(ill, now).wrong) == 3
    away = well | {"store": {"up": False, "problems": []}, "intake": None, "workers": None, "quarantine": None}
    assert "store does not answer" in health_in(away, now).wrong[0]
