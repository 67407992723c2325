"""Merging, objectives and post-incident actions on the command line: what is sent, and what is said."""

import io

import pytest
from api_look_alike import commands_against

INCIDENT = {"id": "INC-2026-0002", "status": "declared", "severity": "SEV2", "title": "Slow", "outcome": "done"}
OBJECTIVE = {
    "id": "clear",
    "text": "No alert fires",
    "kind": "alerts_clear_for",
    "met": True,
    "met_at": "2026-11-02T03:15:00.000Z",
    "met_by": None,
    "note": "",
    "measured": "clear for 20 min of 15 min",
}
ACTION = {
    "incident": "INC-2026-0001",
    "id": "1",
    "state": "open",
    "due": "2026-11-01",
    "owner": "bo",
    "text": "alert on disks",
    "link": None,
    "overdue": True,
}
GIVEN = {
    "INC-2026-0001": INCIDENT | {"id": "INC-2026-0001"},
    "INC-2026-0002": INCIDENT,
    "document": {"summary": {"version": 2}},
    "objectives": {"objectives": [OBJECTIVE], "held": True, "next": None},
    "post_incident_actions": {"post_incident_actions": [ACTION], "next": None},
}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def run(tmp_path, asked):
    """Run a command against an API that takes everything."""

    def answer(method, path, body):
        below = path.removeprefix("/api/v1/")
        asked.append((below, body))
        return INCIDENT if method == "POST" else GIVEN[below.partition("?")[0].rpartition("/")[2]]

    with commands_against(tmp_path, answer) as run:
        yield run


class Terminal(io.BytesIO):
    """What somebody types."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("typed", "given", "code"), [(b"y\n", (), 0), (b"n\n", (), 1), (b"", ("--yes",), 0)])
def test_merge_asks_whoever_sits_at_a_terminal(run, asked, typed, given, code):
    """Both are shown, for it cannot be undone; --yes asks nothing, and no script is asked."""
    done = run("incidents", "merge", "INC-2026-0001", "INC-2026-0002", *given, given=Terminal(typed))
    assert done.exit_code == code, done.output
    assert ("This one goes on: INC-2026-0002, SEV2 declared: Slow" in done.output) is (not given)
    assert [path for path, body in asked if body is not None] == ["incidents/INC-2026-0001/merge"] * (code == 0)


def test_merge_sends_both_ids(run, asked):
    """The one that goes on is printed."""
    done = run("incidents", "merge", "INC-2026-0001", "INC-2026-0002", "--note", "one cause")
    assert asked == [("incidents/INC-2026-0001/merge", {"into": "INC-2026-0002", "note": "one cause"})]
    assert done.output.startswith("INC-2026-0002: done; it is declared")


def test_objectives_are_listed_and_checked(run, asked):
    """Without a name they are shown; with one it has to be said what was found."""
    shown = run("incidents", "objectives", "INC-2026-0001")
    assert "clear for 20 min of 15 min" in shown.output
    assert "It is held" in shown.output
    assert run("incidents", "objectives", "INC-2026-0001", "verified", "--met").exit_code == 0
    assert asked[-1] == ("incidents/INC-2026-0001/objectives", {"id": "verified", "met": True})
    assert run("incidents", "objectives", "INC-2026-0001", "verified").exit_code == 2


def test_post_incident_actions_are_listed_added_and_changed(run, asked):
    """What is not given is not sent."""
    assert "2026-11-01 (overdue)" in run("post-incident-actions", "list", "--overdue").output
    assert run("post-incident-actions", "add", "INC-2026-0001", "alert on disks", "--due", "2026-12-01").exit_code == 0
    assert run("post-incident-actions", "change", "INC-2026-0001", "1", "--state", "done").exit_code == 0
    path = "incidents/INC-2026-0001/post_incident_actions"
    assert asked[1:] == [
        (path, {"text": "alert on disks", "due": "2026-12-01"}),
        (path, {"id": "1", "state": "done"}),
    ]
    assert run("post-incident-actions", "change", "INC-2026-0001", "1").exit_code == 2


def test_document_is_written_from_the_standard_input(run, asked):
    """A dash stands for it, once."""
    done = run("incidents", "document", "INC-2026-0001", "--summary", "-", given="Orders fail.\n\nSince nine.\n")
    assert asked[-1] == ("incidents/INC-2026-0001/document", {"summary": "Orders fail.\n\nSince nine."})
    assert "version 2 of the summary is written" in done.output
    assert run("incidents", "document", "INC-2026-0001", "--summary", "-", "--status-report", "-").exit_code == 2
