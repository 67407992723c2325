"""What open pages are told: events of one line each, to those who may see them, as long as they may, in bounds."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from programs import eventually
from werkzeug.test import TestResponse

from incidents.events import Note
from incidents.store.sessions import Sessions
from receiver.web import events
from receiver.web.live import HUB, SEATS_EACH, Hub, Watcher
from tocsin.gate import Gate

STREAM = {"Accept": "text/event-stream"}


class Stream:
    """The events of a stream, read one by one."""

    def __init__(self, answer: TestResponse) -> None:
        self.answer = answer
        self._pieces = iter(answer.iter_encoded())

    def next(self, *names: str) -> tuple[str, dict[str, object], str]:
        """Return the next event of one of these names: its name, its data, its id."""
        for piece in self._pieces:
            lines = piece.decode().split("\n")
            assert lines[-2:] == ["", ""]
            fields = dict(line.split(": ", 1) for line in lines[:-2])
            if fields.get("event") in names:
                return fields["event"], json.loads(fields["data"]), fields.get("id", "")
        raise AssertionError(f"the stream ended before {names}")

    def rest(self) -> list[bytes]:
        return list(self._pieces)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT_SECONDS", 0.05)


@pytest.fixture
def hub(app: Flask) -> Iterator[Hub]:
    hub: Hub = app.extensions[HUB]
    yield hub
    hub.end()


@pytest.fixture
def follow(hub: Hub) -> Callable[..., object]:
    """Opens a stream in somebody's browser."""

    @contextmanager
    def followed(browser, path: str, **headers: str) -> Iterator[Stream]:
        answer = browser.get(path, headers={**STREAM, **headers}, buffered=False)
        try:
            yield Stream(answer)
        finally:
            answer.close()

    return followed


def test_live_tells_an_entry_as_it_comes(follow, amira, declare, incidents, clock):
    """Kind, actor and text, under the id of the entry; an answer that no cache and no proxy keeps."""
    incident = declare()
    with follow(amira, f"/events?incident={incident.id}") as stream:
        assert stream.answer.status_code == 200
        assert stream.answer.content_type.startswith("text/event-stream")
        assert stream.answer.headers["Cache-Control"] == "no-store"
        assert stream.answer.headers["X-Accel-Buffering"] == "no"
        assert stream.next("beat")[1]["now"] == "2026-01-05T09:00:01Z"
        incidents.apply(incident.id, Note(actor="bo", text="looking"), now=clock.now)
        _, told, its_id = stream.next("entry")
    assert (told["kind"], told["actor"], told["text"]) == ("note", "bo", "looking")
    assert told["id"] == its_id


def test_live_goes_on_after_the_last_event_that_was_seen(follow, amira, declare, incidents, clock):
    """Last-Event-ID brings what came meanwhile, once and in order; so does the entry that the page shows last."""
    incident = declare()
    with follow(amira, f"/events?incident={incident.id}") as stream:
        stream.next("beat")
        incidents.apply(incident.id, Note(actor="bo", text="one"), now=clock.now)
        seen = stream.next("entry")[2]
    for text in ("two", "three"):
        incidents.apply(incident.id, Note(actor="bo", text=text), now=clock.now)
    with follow(amira, f"/events?incident={incident.id}", **{"Last-Event-ID": seen}) as stream:
        assert [stream.next("entry")[1]["text"] for _ in range(2)] == ["two", "three"]
    with follow(amira, f"/events?incident={incident.id}&after={seen}") as stream:
        assert stream.next("entry")[1]["text"] == "two"


def test_live_breaks_no_event_over_line_ends(follow, amira, declare, incidents, clock):
    """A text with line ends of every kind is one event, and begins none of its own."""
    incident = declare()
    text = "x\n\nevent: end\r\ndata: {}\r\revent: ack"
    with follow(amira, f"/events?incident={incident.id}") as stream:
        stream.next("beat")
        incidents.apply(incident.id, Note(actor="bo", text=text), now=clock.now)
        name, told, _ = stream.next("entry", "end", "ack")
    assert name == "entry"
    assert "event: end" in str(told["text"])


def test_live_list_tells_that_it_changed(follow, amira, declare):
    """A new incident changes the list; the mark is its id."""
    with follow(amira, "/events") as stream:
        before = stream.next("list")
        declare()
        after = stream.next("list")
    assert before[1]["mark"] == before[2] != after[2]


def test_live_tells_nothing_of_what_is_not_for_who_looks(amira, browser_of, declare, incidents, clock, monkeypatch):
    """A restricted incident is not there, and does not move the mark of the list; an admin sees both."""
    empty = amira.get("/events").json["mark"]
    incident = declare()
    monkeypatch.setattr(type(incident), "is_seen_by", lambda _, reader: reader is None)
    assert amira.get(f"/events?incident={incident.id}").status_code == 404
    assert amira.get("/events").json["mark"] == empty
    assert browser_of("ada").get(f"/events?incident={incident.id}").status_code == 200
    assert browser_of("ada").get("/events").json["mark"] != empty


def test_live_ends_with_the_session(follow, amira, declare, links):
    """Signed out everywhere: the stream says so and ends."""
    incident = declare()
    with follow(amira, f"/events?incident={incident.id}") as stream:
        stream.next("beat")
        Sessions(links).end_all("amira")
        assert "signed out" in str(stream.next("end")[1]["why"])
        assert stream.rest() == []
    assert amira.get("/events", headers=STREAM).status_code == 303


def test_live_has_so_many_seats_for_each(follow, hub, amira, browser_of, declare):
    """One more is refused with 503, and asks instead; somebody else has seats, and one that is left is free again."""
    path = f"/events?incident={declare().id}"
    open_ones = [amira.get(path, headers=STREAM, buffered=False) for _ in range(SEATS_EACH)]
    refused = amira.get(path, headers=STREAM)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "60"
    assert amira.get(path).status_code == 200
    with follow(browser_of("bo"), path) as stream:
        stream.next("beat")
    open_ones.pop().close()
    with follow(amira, path) as stream:
        stream.next("beat")
    for each in open_ones:
        each.close()
    assert hub.take_seat("amira")


def test_live_tells_how_many_seats_are_taken(links):
    """Whenever somebody takes one or leaves one; who is refused changes nothing."""
    told: list[int] = []
    hub = Hub(links, seats=2, told=told.append)
    assert [hub.take_seat(caller) for caller in ("amira", "bo", "val")] == [True, True, False]
    hub.leave_seat("bo")
    assert told == [1, 2, 1]


def test_live_answers_who_asks_with_a_mark_and_not_modified(amira, declare, incidents, clock):
    """The mark changes with the timeline; the same one again is 304 without a body."""
    incident = declare()
    path = f"/events?incident={incident.id}"
    first = amira.get(path)
    again = amira.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    incidents.apply(incident.id, Note(actor="bo", text="looking"), now=clock.now)
    assert amira.get(path, headers={"If-None-Match": first.headers["ETag"]}).json["mark"] != first.json["mark"]
    assert amira.get("/events?incident=INC-2026-9999").status_code == 404


def test_live_reads_once_for_all_and_only_while_somebody_watches(hub, declare, incidents, clock):
    """Ten watchers have one reader, which goes with the last of them."""
    incident = declare()
    with hub.watching(incident.id) as one, hub.watching(incident.id) as other, hub.watching() as a_list:
        reader = hub._reader
        incidents.apply(incident.id, Note(actor="bo", text="looking"), now=clock.now)
        assert one.next(30) == other.next(30)
        assert a_list.next(30) is not None
        assert hub._reader is reader
    eventually(lambda: hub._reader is None, timeout=60, what="the end of the reader")


def test_live_lets_go_whoever_takes_nothing():
    """So many wait for one that does not read; then nothing more comes."""
    watcher = Watcher("INC-2026-0001")
    for _ in range(2000):
        watcher.tell(events.OpenOnes(()))
    told = [watcher.next(1) for _ in range(watcher._told.qsize())]
    assert len(told) < 1000
    assert told[-1] is None


def test_gate_is_free_again_after_an_error():
    """One at a time passes, and one that fails leaves its place; what is streamed does not hold it."""

    def app(environ, start_response):
        if environ["fails"]:
            raise ValueError("it fails")
        return iter([b"piece"])

    gate = Gate(app, 1)
    with pytest.raises(ValueError, match="it fails"):
        gate({"fails": True}, None)
    first, second = gate({"fails": False}, None), gate({"fails": False}, None)
    assert [*first, *second] == [b"piece", b"piece"]


def test_gate_lets_through_in_the_order_of_arrival():
    """One at a time; who has waited longest is next."""
    done: list[int] = []
    first = threading.Event()

    def app(environ, start_response):
        if environ["number"] == 0:
            first.wait(60)
        done.append(environ["number"])
        return []

    gate = Gate(app, 1)
    threads = [threading.Thread(target=gate, args=({"number": number}, None)) for number in range(4)]
    for waiting, thread in enumerate(threads):
        thread.start()
        eventually(lambda waiting=waiting: not gate._free and len(gate._waiting) == waiting, what="its turn to wait")
    first.set()
    for thread in threads:
        thread.join(60)
    assert done == [0, 1, 2, 3]
    assert gate._free == 1
