"""`Idempotency-Key`: a call that is sent again happens once, and what is no repeat is told so."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace

from incidents.errors import StoreUnavailable
from incidents.events import Note
from incidents.store.connection import Links
from incidents.store.idempotency import Answers
from incidents.store.scripts import ALL

KEY = {"Idempotency-Key": "5f0c-1"}


def note(api, incident, text="looked at it", who="amira", headers=KEY):
    return api.post(f"incidents/{incident.id}/notes", {"text": text}, who=who, headers=headers)


def notes(api, incident):
    return [entry["text"] for entry in api.get(f"incidents/{incident.id}/timeline?kind=note").json["entries"]]


def test_api_idempotency_answers_a_repeat_as_the_first_time(api, declare):
    """The second answer is the first, headers included, and the note stands there once."""
    incident = declare()
    first, second = note(api, incident), note(api, incident)
    assert (second.status_code, second.json, second.headers["ETag"]) == (200, first.json, first.headers["ETag"])
    assert ("Idempotent-Replayed" in first.headers, second.headers["Idempotent-Replayed"]) == (False, "true")
    assert notes(api, incident) == ["looked at it"]


def test_api_idempotency_of_declaring_answers_the_same_incident(api):
    """A 201 with its Location comes again, though the identity has an open incident by then."""
    body = {"title": "It is broken", "severity": "SEV2"}
    first, second = (api.post("incidents", body, headers=KEY) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.json["id"], second.headers["Location"]) == (first.json["id"], first.headers["Location"])


def test_api_idempotency_refuses_another_call_under_the_same_key(api, declare):
    """Another body or another incident is a mistake; another caller has keys of their own."""
    one, two = declare("a"), declare("b")
    note(api, one)
    assert note(api, one, "something else").status_code == 422
    assert note(api, two).status_code == 422
    assert note(api, one, "something else", who="bo").status_code == 200
    assert notes(api, one) == ["looked at it", "something else"]


def test_api_idempotency_lets_a_refused_call_be_tried_again(api, declare):
    """What was refused did nothing, so its key is free."""
    incident = declare()
    reopen = f"incidents/{incident.id}/reopen"
    assert api.post(reopen, {}, headers=KEY).status_code == 409
    api.post(f"incidents/{incident.id}/resolve", {})
    assert api.post(reopen, {}, headers=KEY).status_code == 200


def test_api_idempotency_says_when_the_first_call_is_under_way(api, declare, links):
    """Two at once: the second waits for its turn, and is told so."""
    incident = declare()
    note(api, incident)
    answers, key = Answers(links), KEY["Idempotency-Key"]
    known = answers.begin("amira", key, "")
    answers.give_back("amira", key)
    assert answers.begin("amira", key, known.call) is None
    busy = note(api, incident)
    assert (busy.status_code, busy.headers["Retry-After"]) == (409, "1")


@pytest.mark.parametrize("key", ["x" * 256, "caf\u00e9"])
def test_api_idempotency_refuses_keys_that_are_none(api, declare, key):
    """A key is 1 to 255 printable ASCII characters."""
    assert note(api, declare(), headers={"Idempotency-Key": key}).status_code == 400


class Dying(Links):
    """Links of a process that dies when it is about to keep its answer."""

    @contextmanager
    def borrow(self):
        with super().borrow() as link:
            yield _DyingLink(link)


class _DyingLink:
    def __init__(self, link):
        self._link = link

    def __getattr__(self, name):
        return getattr(self._link, name)

    def one(self, *command):
        if command[0] == "SET" and command[1].startswith("tocsin:idempotency:"):
            raise RuntimeError("killed")
        return self._link.one(*command)


@pytest.fixture
def dying(deps, make_api, store_url):
    """The API of a receiver that dies between a change and its answer."""
    with Dying(store_url, scripts=ALL) as links:
        yield make_api(api=replace(deps.api, links=links))


def test_api_idempotency_holds_where_the_receiver_dies_before_its_answer(api, dying, declare):
    """The change bears its key, so the same call finds that it was done; the note stands there once."""
    incident = declare()
    assert note(dying, incident).status_code == 500
    again = note(api, incident)
    assert (again.status_code, again.json["id"], again.json["outcome"]) == (200, incident.id, "done before")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert note(api, incident, "something else").status_code == 422
    assert notes(api, incident) == ["looked at it"]


def test_api_idempotency_of_declaring_holds_where_the_receiver_dies(api, dying):
    """The incident that was declared is answered, also when it is over by then."""
    body = {"title": "It is broken", "severity": "SEV2"}
    assert dying.post("incidents", body, headers=KEY).status_code == 500
    (made,) = api.get("incidents").json["incidents"]
    api.post(f"incidents/{made['id']}/resolve", {})
    again = api.post("incidents", body, headers=KEY)
    assert (again.status_code, again.json["id"], again.json["status"]) == (201, made["id"], "resolved")
    assert again.headers["Location"].endswith(made["id"])
    assert len(api.get("incidents").json["incidents"]) == 1


def test_api_idempotency_of_merging_holds_where_the_receiver_dies(api, dying, declare):
    """Both were changed by one transaction; the one that goes on is answered."""
    one, two = declare("a"), declare("b")
    assert dying.post(f"incidents/{one.id}/merge", {"into": two.id}, headers=KEY).status_code == 500
    again = api.post(f"incidents/{one.id}/merge", {"into": two.id}, headers=KEY)
    assert (again.status_code, again.json["id"]) == (200, two.id)


MADE = {
    "maintenance": ({"match": 'service="db"', "until": "2026-01-05T12:00:00Z"}, "maintenance"),
    "oncall/overrides": (
        {"rotation": "commanders", "person": "bo", "from": "2026-01-05T10:00:00Z", "until": "2026-01-05T12:00:00Z"},
        "overrides",
    ),
    "actions": ({"kind": "reboot", "service": "db", "text": "Rebooted"}, ""),
    "people/amira/page_tests": ({}, ""),
}


@pytest.mark.parametrize(("path", "body", "plural"), [(path, *made) for path, made in MADE.items()])
def test_api_idempotency_of_other_calls_says_that_they_were_done(api, dying, path, body, plural):
    """What is no incident is made once, and the repeat says so with the id of what there is."""
    first = dying.post(path, body, headers=KEY)
    assert first.status_code == 500, first.text
    again = api.post(path, body, headers=KEY)
    assert (again.status_code, again.json["done"]) == (409, True)
    if plural:
        assert [each["id"] for each in api.get(path).json[plural]] == [again.json["id"]]


@pytest.mark.parametrize(("part", "body"), [("postmortem/state", {"state": "review"}), ("status_links", {})])
def test_api_idempotency_of_what_belongs_to_an_incident_holds_where_the_receiver_dies(api, dying, declare, part, body):
    """The state of the post-mortem moves once, and one link is made."""
    path = f"incidents/{declare().id}/{part}"
    assert dying.post(path, body, headers=KEY).status_code == 500
    again = api.post(path, body, headers=KEY)
    assert (again.status_code, again.json["done"]) == (409, True)


def test_idempotency_along_refuses_a_call_that_took_too_long(links, declare, incidents, clock):
    """Its key may be another's by then, so that it changes nothing any more."""
    incident, answers = declare(), Answers(links, latest=timedelta(seconds=-1))
    with answers.holding("amira", "k", "digest"), pytest.raises(StoreUnavailable):
        incidents.apply(incident.id, Note(actor="amira", text="late"), now=clock.now)
