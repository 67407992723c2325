"""`tocsin incidents watch` against a server that is only pretended: what it asks, prints, and when it ends."""

import json
from datetime import timedelta

import pytest

from tocsin.client import Listed, Unreachable
from tocsin.commands.incidents.watch import Watch
from tocsin.commands.printing import Out

NOW = "2026-11-02T03:00:00.000Z"


class Server:
    """Answers as the API does; each pause lets the next thing happen."""

    def __init__(self, *happenings):
        self.incidents = {}
        self.entries = {}
        self.is_away = False
        self.happenings = list(happenings)

    def put(self, name, status="declared", *texts):
        self.incidents[name] = {"id": name, "severity": "SEV2", "status": status, "title": f"{name}\nis broken"}
        entries = self.entries.setdefault(name, [])
        for text in texts:
            entry = {"id": f"{1_793_588_400_000 + len(entries)}-0", "at": NOW, "kind": "note", "actor": "bo"}
            entries.append(entry | {"text": text, "data": {}})

    def get(self, path, query=None):
        if self.is_away:
            raise Unreachable("nobody is there")
        if path == "/status":
            return {"store": {"now": NOW}}
        name = path.split("/")[2]
        if not path.endswith("/timeline"):
            return self.incidents[name]
        after = int(query["after"].partition("-")[0])
        later = [each for each in self.entries[name] if int(each["id"].partition("-")[0]) > after]
        return {"entries": later[:2], "next": later[1]["id"] if len(later) > 2 else None}

    def listed(self, path, plural, query, *, most):
        assert (path, plural, query, most > 0) == ("/incidents", "incidents", {"status": ["open"]}, True)
        if self.is_away:
            raise Unreachable("nobody is there")
        return Listed([each for each in self.incidents.values() if each["status"] == "declared"], None)

    def pause(self):
        if not self.happenings:
            raise KeyboardInterrupt
        self.happenings.pop(0)(self)


def watched(server, name=None, output="text", since=timedelta()):
    Watch(server, Out(output), name, since).run(server.pause)


def test_watch_one_until_it_is_closed(capsys):
    """Each entry once, over pages and looks; what is closed ends it."""
    server = Server(
        lambda it: it.put("INC-1", "declared", "b", "c", "d"), lambda it: it.put("INC-1", "resolved", "e\nf")
    )
    server.put("INC-1", "declared", "before")
    server.put("INC-1", "declared", "a")
    watched(server, "INC-1")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "INC-1  SEV2  declared  INC-1 is broken"
    assert [line.rpartition("  ")[2] for line in lines[1:]] == ["a", "b", "c", "d", "e f"]
    assert lines[1] == "INC-1  2026-11-02 03:00:00Z  note  bo  a"


def test_watch_from_before(capsys):
    """`--since` begins with what was before."""
    server = Server()
    server.put("INC-1", "resolved", "before", "a")
    watched(server, "INC-1", since=timedelta(seconds=1))
    assert "before" in capsys.readouterr().out


def test_watch_all_that_are_open(capsys):
    """A new one is named, one that is closed has its last entry, and JSON is one line for each entry."""
    server = Server(
        lambda it: it.put("INC-2", "declared", "x"),
        lambda it: it.put("INC-2", "dismissed", "x"),
        lambda it: it.put("INC-2", "dismissed", "never seen"),
    )
    server.put("INC-1", "declared", "x", "x")
    server.put("INC-2", "declared", "before")
    with pytest.raises(KeyboardInterrupt):
        watched(server, output="json")
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["incident"], each["text"]) for each in seen] == [("INC-1", "x"), ("INC-2", "x"), ("INC-2", "x")]


def test_watch_waits_for_a_server_that_went_away(capsys):
    """It is said once that it is away, and once that it is back; away from the start is an error."""

    def away(it, is_away=True):
        it.is_away = is_away

    server = Server(away, lambda _: None, lambda it: away(it, False), lambda it: it.put("INC-1", "resolved", "a", "b"))
    server.put("INC-1", "declared", "before")
    watched(server, "INC-1")
    said = capsys.readouterr()
    assert said.err.splitlines() == ["tocsin: nobody is there; waiting for it", "tocsin: it is back"]
    assert said.out.endswith("  b\n")
    server.is_away = True
    with pytest.raises(Unreachable):
        watched(server, "INC-1")


def test_watch_shows_no_control_characters(capsys):
    """What an alert says steers no terminal."""
    server = Server()
    server.put("INC-1", "resolved", "x", "\x1b[2J")
    watched(server, "INC-1")
    assert "\x1b" not in capsys.readouterr().out
