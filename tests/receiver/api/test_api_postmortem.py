"""The post-mortem over the API: the draft, what people write, review and publication, and the picture."""

import json
from xml.etree import ElementTree as ET

import pytest

PARTS = ("postmortem", "postmortem.md", "postmortem.html", "picture.svg", "timeline.jsonl", "timeline.md")


def edit(api, name, body, tag, *, who="amira"):
    headers = {"If-Match": tag} if tag else {}
    data = {"data": json.dumps(body), "content_type": "application/json"}
    return api.call("PATCH", f"incidents/{name}/postmortem", who=who, headers=headers, **data)


@pytest.fixture
def ended(api, declare, clock):
    """An incident that was acknowledged, told of and resolved."""
    name = declare(severity="SEV1").id
    clock.advance(minutes=7)
    api.post(f"incidents/{name}/acknowledge", {"note": "looking"})
    clock.advance(minutes=50)
    api.post(f"incidents/{name}/resolve", {"note": "it was the disk"})
    clock.advance(minutes=1)
    return name


def test_api_postmortem_is_the_same_however_often_it_is_asked_for(api, ended, clock):
    """No clock is in it: a day later it is byte for byte what it was."""
    first = {part: api.get(f"incidents/{ended}/{part}").data for part in PARTS}
    clock.advance(days=1)
    assert {part: api.get(f"incidents/{ended}/{part}").data for part in PARTS} == first


def test_api_postmortem_tells_the_numbers_and_what_was_missing(api, ended):
    """Times from declared, and what the severity asked for and did not get."""
    answer = api.get(f"incidents/{ended}/postmortem")
    assert answer.headers["ETag"] == '"0"'
    shown = answer.json
    assert (shown["id"], shown["state"], shown["version"], shown["wanted"]) == (ended, "draft", 0, "required")
    assert shown["numbers"]["time_to_acknowledge"] == 421
    assert shown["numbers"]["time_to_resolve"] == 3421
    assert shown["numbers"]["time_to_detect"] is None
    assert {"acknowledged_late", "no_update", "no_action"} <= {gap["kind"] for gap in shown["gaps"]}
    assert "No update for 57 min; one was due every 30 min" in [gap["text"] for gap in shown["gaps"]]
    entries = api.get(f"incidents/{ended}/timeline").json["entries"]
    assert [line["id"] for line in shown["timeline"]] == [entry["id"] for entry in entries]


def test_api_postmortem_is_written_without_losing_anybodys_words(api, ended):
    """A stale edit gets 409 with both texts, one without a tag 428; every version is kept."""
    assert edit(api, ended, {"causes": "x"}, "").status_code == 428
    first = edit(api, ended, {"causes": "The disk was full.", "lucky": "It was night."}, '"0"')
    assert (first.status_code, first.json["version"], first.headers["ETag"]) == (200, 1, '"1"')
    stale = edit(api, ended, {"causes": "The disk was old."}, '"0"', who="bo")
    assert (stale.status_code, stale.json["etag"]) == (409, '"1"')
    conflict = stale.json["conflicts"]["causes"]
    assert (conflict["current"], conflict["yours"], conflict["by"]) == (
        "The disk was full.",
        "The disk was old.",
        "amira",
    )
    assert "-The disk was full." in conflict["diff"]
    edit(api, ended, {"causes": "The disk was full and old.", "lucky": ""}, '"1"', who="bo")
    versions = api.get(f"incidents/{ended}/postmortem/versions").json["versions"]
    assert [each["version"] for each in versions] == [2, 1]
    assert versions[1]["sections"]["lucky"]["text"] == "It was night."
    shown = api.get(f"incidents/{ended}/postmortem").json
    assert "lucky" in shown["unwritten"]
    assert "The disk was full and old." in api.get(f"incidents/{ended}/postmortem.md").text
    said = api.get(f"incidents/{ended}/timeline?kind=document_edited").json["entries"]
    assert [entry["data"]["version"] for entry in said] == [1, 2]


def test_api_postmortem_goes_from_draft_over_review_to_published(api, ended):
    """What is published is not written in, and does not change with what is noted later."""
    state = f"incidents/{ended}/postmortem/state"
    assert api.post(state, {"state": "review"}).json["state"] == "review"
    assert api.post(state, {"state": "review"}).status_code == 409
    published = api.post(state, {"state": "published"}, who="bo")
    assert (published.json["state"], published.json["changed_by"]) == ("published", "bo")
    api.post(f"incidents/{ended}/notes", {"text": "Much later"})
    assert api.get(f"incidents/{ended}/postmortem").json == published.json
    refused = edit(api, ended, {"causes": "x"}, "*")
    assert refused.status_code == 409
    assert "draft" in refused.json["detail"]
    assert api.post(state, {"state": "draft"}).status_code == 200
    assert "Much later" in api.get(f"incidents/{ended}/postmortem.md").text


def test_api_postmortem_of_an_incident_that_came_back_is_a_draft_again(api, ended, clock):
    """What was published told of an end that was none: it goes on, is listed so, and keeps the published version."""
    path = f"incidents/{ended}/postmortem"
    api.post(f"{path}/state", {"state": "published"})
    clock.advance(minutes=1)
    api.post(f"incidents/{ended}/reopen")
    assert (api.get(path).json["state"], api.get(path).json["version"]) == ("draft", 1)
    clock.advance(minutes=1)
    api.post(f"incidents/{ended}/resolve", {"note": "the other disk"})
    assert api.get("postmortems").json["postmortems"][0]["state"] == "draft"
    assert "the other disk" in api.get(f"{path}.md").text
    clock.advance(minutes=1)
    assert edit(api, ended, {"causes": "two disks"}, '"1"').status_code == 200
    assert api.post(f"{path}/state", {"state": "published"}).json["state"] == "published"
    assert [each["state"] for each in api.get(f"{path}/versions").json["versions"]] == [
        "published",
        "draft",
        "published",
    ]
    assert api.get("postmortems").json["postmortems"][0]["state"] == "published"


def test_api_postmortem_of_an_open_incident_is_not_published(api, declare):
    """It is a draft while there is more to come."""
    name = declare().id
    answer = api.post(f"incidents/{name}/postmortem/state", {"state": "published"})
    assert answer.status_code == 409
    assert "resolve or dismiss" in answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"cause": "x"}, "/cause"),
        ({"causes": 1}, "/causes"),
        ({"causes": "x" * 65537}, "/causes"),
    ],
)
def test_api_postmortem_names_what_does_not_fit(api, ended, body, pointer):
    """A mistake is 422 with its place."""
    answer = edit(api, ended, body, "*")
    assert (answer.status_code, answer.json["pointer"]) == (422, pointer)


def test_api_postmortem_needs_a_role_to_write(api, ended):
    """Viewers read; they change nothing."""
    assert edit(api, ended, {"causes": "x"}, "*", who="val").status_code == 403
    assert api.post(f"incidents/{ended}/postmortem/state", {"state": "review"}, who="val").status_code == 403


@pytest.mark.parametrize("part", [*PARTS, "postmortem/versions"])
def test_api_postmortem_of_no_incident_is_404(api, declare, part):
    """What there is not has none."""
    declare()
    assert api.get(f"incidents/INC-2026-0999/{part}").status_code == 404


def test_api_picture_is_an_image_that_runs_nothing(api, ended):
    """It is well-formed, says in words what it shows, and may load nothing."""
    answer = api.get(f"incidents/{ended}/picture.svg")
    assert answer.content_type == "image/svg+xml"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    root = ET.fromstring(answer.data)
    assert root.find("{http://www.w3.org/2000/svg}title").text == f"{ended}: It is broken"
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_api_timeline_exports_are_the_timeline(api, ended):
    """Each entry is a line, in order; kinds are filtered."""
    entries = api.get(f"incidents/{ended}/timeline").json["entries"]
    answer = api.get(f"incidents/{ended}/timeline.jsonl")
    assert [json.loads(line) for line in answer.text.splitlines()] == entries
    assert answer.content_type == "application/x-ndjson"
    only = api.get(f"incidents/{ended}/timeline.jsonl?kind=resolved").text.splitlines()
    assert [json.loads(line)["kind"] for line in only] == ["resolved"]
    rows = api.get(f"incidents/{ended}/timeline.md").text.splitlines()[4:]
    assert [row.rsplit("|", 2)[1].strip() for row in rows] == [entry["id"] for entry in entries]
    assert api.get(f"incidents/{ended}/timeline.md?kind=nonsense").status_code == 400


def test_api_note_corrects_an_entry(api, ended):
    """Both stay: the entry as it was, with what a later one says of it."""
    entry = api.get(f"incidents/{ended}/timeline").json["entries"][0]
    answer = api.post(f"incidents/{ended}/notes", {"text": "It was the other database", "corrects": entry["id"]})
    assert answer.status_code == 200
    entries = api.get(f"incidents/{ended}/timeline").json["entries"]
    assert entries[0]["text"] == entry["text"]
    (said,) = entries[0]["data"]["corrections"]
    assert (said["actor"], said["text"]) == ("amira", "It was the other database")
    assert entries[-1]["data"]["corrects"] == entry["id"]
    assert "amira corrects it: It was the other database" in api.get(f"incidents/{ended}/postmortem.md").text


@pytest.mark.parametrize("entry", ["1-1", "x", "-", "+", "1762052400000", "99999999999999999999-0", "\u0661-0"])
def test_api_note_that_corrects_nothing_is_422(api, ended, entry):
    """An id that the timeline does not have is named, and nothing is written."""
    answer = api.post(f"incidents/{ended}/notes", {"text": "x", "corrects": entry})
    assert (answer.status_code, answer.json["pointer"]) == (422, "/corrects")


def test_api_corrections_go_with_a_merged_incident(api, declare):
    """Whoever reads the one that stays sees them, and its post-mortem tells of both."""
    merged, stays = declare("cache").id, declare("db").id
    entry = api.get(f"incidents/{merged}/timeline").json["entries"][0]
    api.post(f"incidents/{merged}/notes", {"text": "It was the proxy", "corrects": entry["id"]})
    assert api.post(f"incidents/{merged}/merge", {"into": stays}).status_code == 200
    entries = api.get(f"incidents/{stays}/timeline").json["entries"]
    assert [each["data"]["corrections"][0]["text"] for each in entries if "corrections" in each["data"]] == [
        "It was the proxy"
    ]
    shown = api.get(f"incidents/{merged}/postmortem").json
    assert (shown["id"], len(shown["timeline"])) == (stays, len(entries))
    refused = edit(api, merged, {"causes": "x"}, "*")
    assert (refused.status_code, stays in refused.json["hint"]) == (409, True)


def test_api_postmortems_lists_those_that_are_wanted(api, declare):
    """Resolved incidents whose severity asks for one, the latest first; not what was no incident, or is open."""
    one, two, three, four = (declare(f"s{number}", severity=f"SEV{number}").id for number in range(1, 5))
    dismissed, still_open = declare("s5").id, declare("s6").id
    for name in (one, two, three, four):
        api.post(f"incidents/{name}/resolve", {"override": "x"})
    api.post(f"incidents/{dismissed}/dismiss", {"reason": "a drill"})
    api.post(f"incidents/{two}/postmortem/state", {"state": "review"})

    def found(query=""):
        return [(each["id"], each["state"]) for each in api.get(f"postmortems{query}").json["postmortems"]]

    assert found() == [(three, "draft"), (two, "review"), (one, "draft")]
    assert found("?wanted=required&state=draft") == [(one, "draft")]
    assert found("?wanted=optional") == [(three, "draft")]
    assert api.get("postmortems?state=done").status_code == 400
    assert api.get(f"incidents/{dismissed}/postmortem").json["wanted"] == "none"
    assert api.get(f"incidents/{still_open}/postmortem").json["wanted"] == "required"
