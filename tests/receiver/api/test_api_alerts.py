"""Alerts and quarantine over the API, and how Tocsin is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from builders import alert

from incidents import keys
from incidents.alert import AlertState, alert_key
from incidents.clock import to_ms
from incidents.errors import StoreUnavailable
from incidents.quarantined import Quarantined
from incidents.store.codec import decode_alerts, encode
from incidents.store.intake import Refused
from incidents.store.measured import measure


@pytest.fixture
def remember(links, clock):
    """Remembers an alert as the decider does."""

    def remembered(name, *, heard=None, status="firing", source="prod", incidents=(), **labels):
        given = alert(name, status=status, **labels)
        state = AlertState(
            source=source,
            fingerprint=given.fingerprint,
            status=given.status,
            labels=given.labels,
            annotations={"summary": "x"},
            starts_at=clock.now,
            received_at=clock.now,
            incidents=tuple(incidents),
        )
        key = alert_key(source, given.fingerprint)
        with links.borrow() as link:
            link.one("HSET", keys.alerts(), key, encode(state))
            link.one("ZADD", keys.alerts_seen(), to_ms(heard or clock.now), key)
            for each in incidents:
                link.one("SADD", keys.incident_alerts(each), key)
        return given

    return remembered


def names(answer):
    return [each["labels"]["alertname"] for each in answer.json["alerts"]]


def test_api_alerts_shows_what_is_remembered(api, remember, declare, clock):
    """An alert comes with its labels, source, times, incidents, and whether it went stale."""
    incident = declare()
    given = remember("Old", heard=clock.now - timedelta(hours=25), incidents=[incident.id])
    remember("New")
    shown = api.get("alerts").json
    assert shown["next"] is None
    assert [each["stale"] for each in shown["alerts"]] == [False, True]
    old = shown["alerts"][1]
    assert (old["source"], old["fingerprint"], old["labels"]) == ("prod", given.fingerprint, given.labels)
    assert old["last_seen"] == "2026-01-04T08:00:01.000Z"
    assert (old["status"], old["incidents"], old["ends_at"]) == ("firing", [incident.id], None)


def test_api_alerts_filters_and_pages(api, remember, declare, clock):
    """Filters by incident and status; pages join without a gap, also among alerts of one webhook."""
    incident = declare()
    for number in range(7):
        own = [incident.id] if number % 2 else []
        remember(f"A{number}", incidents=own, status="resolved" if number < 3 else "firing")
    whole = names(api.get("alerts"))
    assert len(whole) == 7
    for query, wanted in (
        ("", whole),
        (f"incident={incident.id}", [name for name in whole if int(name[1]) % 2]),
        ("status=resolved", [name for name in whole if int(name[1]) < 3]),
        (f"incident={incident.id}&status=firing", [name for name in whole if name in {"A3", "A5"}]),
    ):
        assert names(api.get(f"alerts?{query}")) == wanted
        shown, after = [], ""
        while after is not None:
            page = api.get(f"alerts?limit=1&{query}&after={after}")
            shown += names(page)
            after = page.json["next"]
        assert shown == wanted, query


def test_api_alerts_goes_on_where_an_alert_moved(api, remember, clock):
    """An alert that is heard of again between two pages moves to the front, and the others stay where they were."""
    for number in range(4):
        remember(f"A{number}", heard=clock.now + timedelta(seconds=number))
    first = api.get("alerts?limit=2")
    assert names(first) == ["A3", "A2"]
    remember("A2", heard=clock.now + timedelta(seconds=9))
    assert names(api.get(f"alerts?limit=2&after={first.json['next']}")) == ["A1", "A0"]


@pytest.mark.parametrize("query", ["after=x", "after=%00", "status=open", "after=MTox2&status=firing"])
def test_api_alerts_refuses_what_it_does_not_know(api, query):
    """A cursor or status that is none is 400."""
    assert api.get(f"alerts?{query}").status_code == 400


# ----------------------------------------------------------------------------------------------------------- quarantine


def balance(links):
    """Received, settled and pending, and how many events lie in the stream."""
    measured = measure(links)
    with links.borrow() as link:
        entries = link.one("XRANGE", keys.stream(), "-", "+")
    waiting = sum(int(dict(zip(fields[::2], fields[1::2], strict=True))[b"n"]) for _, fields in entries)
    received = measured.counters.get("events_received_total", 0)
    settled = sum(value for name, value in measured.counters.items() if name.startswith("events_total|"))
    return received, settled, measured.pending, waiting


@pytest.fixture
def quarantined(links, clock):
    """Puts an alert of ours into quarantine, as the decider does with one it cannot judge."""

    def put(given, *, source="prod", text=None):
        item = Quarantined(
            id=f"q{to_ms(clock.now)}-{given.fingerprint[:8]}",
            at=clock.now,
            source=source,
            reason="ZeroDivisionError: x",
            text=text if text is not None else msgspec.json.encode(given).decode(),
        )
        with links.borrow() as link:
            link.one("HSET", keys.quarantine(), item.id, encode(item))
            link.one("HINCRBY", keys.counters(), "events_received_total", 1)
            link.one("HINCRBY", keys.counters(), "events_total|quarantined", 1)
        return item

    return put


def test_api_quarantine_lists_and_shows(api, quarantined, clock):
    """The latest comes first; a list cuts the text, one item is whole."""
    items = []
    for number in range(3):
        items.append(quarantined(alert(f"A{number}", note="x" * 600)))
        clock.advance(seconds=1)
    first = api.get("quarantine?limit=2").json
    rest = api.get(f"quarantine?limit=2&after={first['next']}").json
    assert [each["id"] for each in (*first["events"], *rest["events"])] == [item.id for item in items[::-1]]
    assert rest["next"] is None
    assert len(first["events"][0]["text"]) == 500
    whole = api.get(f"quarantine/{items[0].id}").json
    assert whole["text"] == items[0].text
    assert (whole["reason"], whole["source"], whole["requeueable"]) == ("ZeroDivisionError: x", "prod", True)


def test_api_requeue_sends_an_alert_through_once_more(api, links, quarantined, clock, woken):
    """The alert is in the stream with its source and first time, gone from quarantine, and the counters balance."""
    given = alert("Poison")
    item = quarantined(given)
    assert balance(links) == (1, 1, 0, 0)
    clock.advance(hours=5)
    answer = api.post(f"quarantine/{item.id}/requeue", who="ada")
    assert answer.status_code == 200
    assert balance(links) == (2, 1, 1, 1)
    with links.borrow() as link:
        [[entry_id, flat]] = link.one("XRANGE", keys.stream(), "-", "+")
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    assert entry_id.decode() == answer.json["event_id"]
    assert (fields[b"k"], fields[b"s"], int(fields[b"t"])) == (b"alerts", b"prod", to_ms(clock.now))
    assert decode_alerts(fields[b"b"]) == [msgspec.structs.replace(given, starts_at=item.at)]
    assert measure(links).counters["alerts_received_total|prod|firing"] == 1
    assert woken == ["decider"]
    assert api.get("quarantine").json["events"] == []


def test_api_requeue_keeps_the_end_of_a_resolved_alert(api, links, quarantined, clock):
    """A resolved alert without an end ended when it first came, not when somebody requeued it."""
    item = quarantined(alert("Poison", status="resolved"))
    clock.advance(hours=5)
    api.post(f"quarantine/{item.id}/requeue", who="ada")
    with links.borrow() as link:
        [[_, flat]] = link.one("XRANGE", keys.stream(), "-", "+")
    [sent] = decode_alerts(dict(zip(flat[::2], flat[1::2], strict=True))[b"b"])
    assert (sent.starts_at, sent.ends_at) == (item.at, item.at)


def test_api_requeue_at_once_happens_once(app, links, quarantined):
    """Of many who requeue the same item one does; the others find nothing, and the counters balance."""
    item = quarantined(alert("Poison"))

    def requeue(_):
        headers = {"Authorization": "Bearer token-of-ada"}
        return app.test_client().post(f"/api/v1/quarantine/{item.id}/requeue", headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(requeue, range(16)))
    assert codes == [200] + [404] * 15
    assert balance(links) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"fingerprint": "c5a1f1d2e3b4a596", "status": "firing", "labels": {}, "startsAt": "yesterday"}',
        '{"fingerprint": "c5a1f1d2e3b4a596", "status": "fire", "labels": {}}',
        '{"fingerprint": "c5a1f1d2e3b4a596", "status": "firing", "labels": {"a": "b',
        "\ufffd",
        "[" * 5000,
    ],
)
def test_api_requeue_refuses_what_is_no_alert_of_ours(api, links, quarantined, text):
    """What cannot be read again is 409 with the reason; it stays, and nothing is counted."""
    item = quarantined(alert("Poison"), text=text)
    before = balance(links)
    answer = api.post(f"quarantine/{item.id}/requeue", who="ada")
    assert answer.status_code == 409
    assert "ZeroDivisionError: x" in answer.json["detail"]
    assert balance(links) == before
    assert not api.get(f"quarantine/{item.id}").json["requeueable"]


def test_api_requeue_refuses_what_intake_refused(api, links, intake, clock):
    """What a sender wrote is not taken for an alert of ours, for its times would be lost."""
    refused = Refused(reason="startsAt: not a time", text='{"status": "firing", "labels": {}, "startsAt": "x"}')
    intake.append_alerts(source="prod", alerts=[], refused=[refused], received_at=clock.now)
    [item] = api.get("quarantine").json["events"]
    answer = api.post(f"quarantine/{item['id']}/requeue", who="ada")
    assert answer.status_code == 409
    assert "startsAt: not a time" in answer.json["detail"]
    assert balance(links) == (1, 1, 0, 0)


def test_api_requeue_leaves_the_item_when_the_store_is_full(api, links, quarantined):
    """A store without room takes nothing: 503, and the item is still there."""
    item = quarantined(alert("Poison"))
    with links.borrow() as link:
        link.one("CONFIG", "SET", "maxmemory", "1")
    try:
        answer = api.post(f"quarantine/{item.id}/requeue", who="ada")
    finally:
        with links.borrow() as link:
            link.one("CONFIG", "SET", "maxmemory", "0")
    assert (answer.status_code, answer.json["reason"]) == (503, "full")
    assert api.get(f"quarantine/{item.id}").status_code == 200
    assert balance(links) == (1, 1, 0, 0)


def test_api_quarantine_unknown_is_404(api):
    """An id that names nothing is 404, whatever it looks like."""
    for name in ("q1-x", "x" * 5000, "%00", "%F0%9F%92%A3"):
        assert api.get(f"quarantine/{name}").status_code == 404
        assert api.post(f"quarantine/{name}/requeue", who="ada").status_code == 404


# ---------------------------------------------------------------------------------------------------------------- state


def test_api_rules_shows_those_in_force(api, rules):
    """Rules come with their matchers and tiers, under the hash, with the last reload."""
    shown = api.get("rules").json
    assert shown["hash"] == rules.hash
    assert shown["reload"] == {"successful": True, "at": "2026-01-05T09:00:00.000Z", "errors": []}
    [rule] = shown["rules"]
    assert (rule["id"], rule["match"], rule["tiers"][0]["declare"]) == ("critical", ['severity="critical"'], "SEV2")


def test_api_rules_files_are_for_admins(api, rules):
    """The text of the rules may hold secrets; with it and the time of its check they can be loaded elsewhere."""
    assert api.get("rules/files").status_code == 403
    shown = api.get("rules/files", who="ada").json
    assert shown == {
        "hash": rules.hash,
        "checked_at": "2026-01-05T09:00:00.000Z",
        "files": [{"name": "a.yml", "text": "rules: []"}],
    }


def test_api_oncall_shows_who_holds_each_role(api, clock):
    """A role with a rotation has a person and the end of the shift; one without has neither."""
    shown = api.get("oncall").json
    assert shown["incident_commander"] == {"person": "amira", "name": "", "until": "2026-01-12T00:00:00.000Z"}
    assert shown["communications"] == {"person": None, "name": None, "until": None}
    clock.advance(days=7)
    assert api.get("oncall").json["incident_commander"]["person"] == "bo"


def test_api_status_tells_how_it_is(api, links, intake, clock, declare):
    """Intake, workers, sources, rules and the store's clock, each with what doctor needs."""
    declare()
    intake.append_alerts(source="prod", alerts=[alert("A"), alert("B")], received_at=clock.now)
    with links.borrow() as link:
        link.one("HSET", keys.workers_seen(), "tocsin-decide", to_ms(clock.now))
        link.one("SET", keys.probe("abc"), "1")
    clock.advance(seconds=3)
    shown = api.get("status?probe=abc").json
    assert (shown["ready"], shown["version"]) == (True, "0.1.0")
    assert shown["store"]["up"]
    assert shown["store"]["durable"]
    assert shown["intake"] == {
        "received": 3,
        "processed": 1,
        "duplicate": 0,
        "quarantined": 0,
        "pending": 2,
        "lag_seconds": 3.0,
    }
    assert (shown["incidents_open"], shown["quarantine"]) == (1, 0)
    seen = {each["queue"]: each["last_seen"] for each in shown["workers"]}
    assert seen == {"tocsin-decide": "2026-01-05T09:00:01.000Z", "tocsin-pages": None}
    heard = {each["name"]: each["last_heard"] for each in shown["sources"]}
    assert heard == {"prod": "2026-01-05T09:00:01.000Z", "mute": None}
    assert (shown["rules"]["rules"], shown["rules"]["people"]) == (1, 2)
    assert shown["probe"] == {"token": "abc", "decided": True}
    assert api.get("status?probe=other").json["probe"]["decided"] is False
    assert api.get("status?probe=a:b").status_code == 400


def test_api_status_answers_without_the_store(api, links, monkeypatch):
    """With the store away the status is answered and says so: then most of all somebody asks."""

    def away(*_, **__):
        raise StoreUnavailable("the store does not answer")

    with links.borrow() as link:
        monkeypatch.setattr(type(link), "ask", away)
    answer = api.get("status?probe=abc")
    assert answer.status_code == 200
    assert answer.json["store"] == {
        "up": False,
        "durable": False,
        "now": None,
        "problems": ["the store does not answer"],
    }
    assert answer.json["ready"] is False
    assert answer.json["intake"] is None
