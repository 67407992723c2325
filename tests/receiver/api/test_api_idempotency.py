"""`Idempotency-Key`: a call that is sent again happens once, and what is no repeat is told so."""

import pytest

from incidents.store.idempotency import Answers

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
