"""Corrective actions over the API: into the stream with their event, or on one timeline at once."""

import pytest

from incidents import keys
from incidents.store.codec import decode_incoming

ACTION = {"kind": "rollback", "service": "checkout", "text": "to 1.4.2"}


def events_in(links):
    """Every event in the stream with its source and id."""
    with links.borrow() as link:
        entries = link.one("XRANGE", keys.stream(), "-", "+")
    found = []
    for entry_id, raw in entries:
        fields = dict(zip(raw[::2], raw[1::2], strict=True))
        found += [(entry_id.decode(), fields[b"s"].decode(), each) for each in decode_incoming(fields[b"b"])]
    return found


def test_action_enters_the_stream_under_the_callers_name(api, links, clock):
    """202 with the id of the event; who did it is the token, when it was is now."""
    answer = api.post("actions", ACTION, who="bo")
    assert answer.status_code == 202
    [(event_id, source, event)] = events_in(links)
    assert (answer.json, source) == ({"event_id": event_id}, "api")
    action = event.action
    assert (action.kind, action.service, action.text, action.actor) == ("rollback", "checkout", "to 1.4.2", "bo")
    assert action.at == clock.now


def test_action_keeps_the_instant_that_it_was_done_at(api, links):
    """An instant with a zone is kept, in UTC."""
    assert api.post("actions", ACTION | {"at": "2026-01-05T09:30:00+01:00"}).status_code == 202
    [(_, _, event)] = events_in(links)
    assert event.action.at.isoformat() == "2026-01-05T08:30:00+00:00"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"at": "2026-01-05T10:00:00Z"}, "/at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "/at"),
        ({"at": "2026-01-05T08:30:00"}, "/at"),
        ({"kind": " "}, "/kind"),
        ({"service": "check\u202eout"}, "/service"),
        ({"service": "a\r\nFLUSHALL"}, "/service"),
        ({"actor": "somebody else"}, "/actor"),
        ({"kind": "x" * 129}, "/kind"),
    ],
)
def test_action_names_what_does_not_fit(api, links, change, pointer):
    """422 with the place, and nothing is taken."""
    answer = api.post("actions", ACTION | change)
    assert (answer.status_code, answer.json["pointer"]) == (422, pointer)
    assert events_in(links) == []


def test_action_needs_a_responder(api, links):
    """A viewer only reads."""
    assert api.post("actions", ACTION, who="val").status_code == 403
    assert events_in(links) == []


def test_action_on_an_incident_is_on_its_timeline_at_once(api, declare):
    """The entry has its kind, who and what."""
    incident = declare()
    answer = api.post(f"incidents/{incident.id}/actions", {"kind": "restart", "text": "the workers"}, who="bo")
    assert (answer.status_code, answer.json["outcome"]) == (200, "action noted")
    entry = api.get(f"incidents/{incident.id}/timeline").json["entries"][-1]
    assert (entry["kind"], entry["actor"], entry["text"]) == (
        "corrective_action",
        "bo",
        "bo (outside of the operating group) did a restart: the workers",
    )
    assert entry["data"] == {"kind": "restart", "outside": True}
