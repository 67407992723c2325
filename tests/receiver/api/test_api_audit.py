"""The audit log: every change with who and what, refused credentials counted, and nobody but admins reads it."""

import logging
from datetime import UTC, datetime

import pytest
from programs import eventually

from incidents import keys
from incidents.errors import StoreUnavailable
from incidents.store.audit import Audit, AuditEntry
from receiver import audit as auditing
from receiver.audit import MOST_ADDRESSES, OTHERS, Refusals, Trail
from receiver.limits import Limit, Limits

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def entries(api, **query):
    """The entries, latest first."""
    return api.get("audit", who="ada", query_string=query).json["entries"]


def test_audit_notes_what_was_done_to_an_incident(api, declare, clock):
    """Who, what, to which, how it ended, from where, and under which id; the answer bears the same id."""
    incident = declare()
    answer = api.post(f"incidents/{incident.id}/acknowledge", {}, who="bo")
    [entry] = entries(api)
    assert entry.pop("id")
    assert entry == {
        "at": clock.now.isoformat().replace("+00:00", ".000Z"),
        "actor": "bo",
        "action": "POST /incidents/{incident_id}/acknowledge",
        "target": incident.id,
        "outcome": "done",
        "request_id": answer.headers["X-Request-Id"],
        "address": "127.0.0.1",
        "count": 1,
    }


def test_audit_names_what_was_made(api):
    """Of what has no id before, the target is the id that it got."""
    made = api.post("incidents", {"title": "It burns", "severity": "SEV2"}).json["id"]
    taken = api.post("actions", {"kind": "restart", "service": "db"}).json["event_id"]
    assert [(entry["action"], entry["target"]) for entry in entries(api)] == [
        ("POST /actions", taken),
        ("POST /incidents", made),
    ]


def test_audit_does_not_note_what_changed_nothing(api, declare):
    """Reads, and commands that were refused, are no changes."""
    incident = declare()
    api.get("incidents")
    api.post(f"incidents/{incident.id}/reopen", {})
    api.post(f"incidents/{incident.id}/notes", {"text": " "})
    api.post("incidents/INC-1999-0001/notes", {"text": "x"})
    assert entries(api) == []


def test_audit_is_for_admins(api):
    """A responder may act, not read who acted."""
    assert api.get("audit", who="amira").status_code == 403


def test_audit_is_read_in_pages(api, declare):
    """Latest first; the cursor leads on, and an odd one is refused."""
    name = declare().id
    for number in range(5):
        api.post(f"incidents/{name}/notes", {"text": str(number)})
    first = api.get("audit?limit=3", who="ada").json
    second = api.get(f"audit?limit=3&after={first['next']}", who="ada").json
    ids = [entry["id"] for page in (first, second) for entry in page["entries"]]
    assert (len(set(ids)), ids, second["next"]) == (5, sorted(ids, reverse=True), None)
    assert api.get("audit?after=x", who="ada").status_code == 400


def test_audit_log_is_bounded(links, monkeypatch):
    """The store trims it to about its length; the constant is the only place that says how long."""
    monkeypatch.setattr("incidents.store.audit.MOST_ENTRIES", 100)
    audit = Audit(links)
    audit.append([AuditEntry(at=NOW, actor="a", action="b", outcome="done") for _ in range(1000)])
    with links.borrow() as link:
        assert link.one("XLEN", keys.audit()) <= 200


class Kept:
    """Remembers what is written."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    def __call__(self, entries: list[AuditEntry]) -> bool:
        self.entries += entries
        return True


@pytest.fixture
def kept(monkeypatch) -> Kept:
    """What is written, by nobody but the test."""
    monkeypatch.setattr(Refusals, "_write_on", lambda _: None)
    return Kept()


def test_refusals_of_an_address_are_one_entry_a_minute(kept, clock):
    """The first is written at once, those that follow with their number when the minute is over."""
    refusals = Refusals(kept, clock)
    refusals.note("10.0.0.1", "", "POST /webhooks/alertmanager", 401)
    refusals.write()
    assert [(entry.address, entry.count, entry.outcome) for entry in kept.entries] == [("10.0.0.1", 1, "refused 401")]
    for _ in range(500):
        refusals.note("10.0.0.1", "", "GET /api/v1/incidents", 401)
        refusals.write()
    assert len(kept.entries) == 1
    clock.advance(seconds=61)
    refusals.write()
    assert (len(kept.entries), kept.entries[1].count, kept.entries[1].action) == (2, 500, "GET /api/v1/incidents")


def test_refusals_of_many_addresses_are_counted_together(kept, clock):
    """Whoever comes from everywhere fills neither the memory nor the log."""
    refusals = Refusals(kept, clock)
    for number in range(MOST_ADDRESSES + 500):
        refusals.note(f"10.0.{number // 256}.{number % 256}", "", "GET /", 401)
    refusals.write()
    assert len(kept.entries) == MOST_ADDRESSES + 1
    [others] = [entry for entry in kept.entries if entry.address == OTHERS]
    assert others.count == 500


def test_refused_credentials_are_in_the_audit_log(api, app):
    """A wrong token and a role that is too low; neither the token nor the claimed address is noted."""
    client = app.test_client()
    headers = {"Authorization": "Bearer toc_wrong-wrong-wrong-wrong", "X-Forwarded-For": "6.6.6.6"}
    client.get("/api/v1/incidents", headers=headers)
    client.post("/-/reload?token=s3cret", headers=headers, environ_overrides={"REMOTE_ADDR": "10.0.0.2"})
    api.post("actions", {}, who="val", environ_overrides={"REMOTE_ADDR": "10.0.0.3"})
    app.extensions[auditing.TRAIL].refusals.write()
    # What the trail's own thread took before us, it may still be writing.
    eventually(lambda: len(entries(api)) >= 3, what="three refusals in the audit log")
    found = {(entry["address"], entry["actor"], entry["action"], entry["outcome"]) for entry in entries(api)}
    assert found == {
        ("127.0.0.1", "", "GET /api/v1/incidents", "refused 401"),
        ("10.0.0.2", "", "POST /-/reload", "refused 401"),
        ("10.0.0.3", "val", "POST /api/v1/actions", "refused 403"),
    }


class Away:
    """An audit log that cannot be written."""

    def append(self, entries: list[AuditEntry]) -> None:
        raise StoreUnavailable("gone")


def test_audit_log_away_costs_nobody_an_answer(app, caplog):
    """What was done stays done and is in the log of the process; what may have been done is said so."""
    trail = Trail(Away(), lambda: NOW)
    with caplog.at_level(logging.INFO), app.test_request_context("/"):
        with trail.change("bo", "POST /actions"):
            pass
        with pytest.raises(StoreUnavailable), trail.change("bo", "POST /actions"):
            raise StoreUnavailable("in the middle")


def test_acknowledging_is_never_limited(make_api, declare):
    """Whoever is on it can always say so, however much the token was used."""
    api = make_api(limits=Limits(callers=Limit(1, 2)))
    name = declare().id
    assert [api.get("incidents", who="bo").status_code for _ in range(4)][-1] == 429
    assert api.post(f"incidents/{name}/acknowledge", {}, who="bo").status_code == 200
    assert api.post(f"incidents/{name}/notes", {"text": "x"}, who="bo").status_code == 429
