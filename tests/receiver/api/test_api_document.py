"""The live state document over the API: six parts, edits of which none is lost, histories, drafts, CommonMark."""

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from builders import CRITICAL, ONCALL, rule_set
from markdown_it import MarkdownIt
from msgspec.structs import replace

from incidents import keys
from incidents.document.values import Part
from incidents.document.versions import tag_of
from incidents.events import DocumentEdited
from incidents.post_incident_actions import Overdue
from incidents.store.archive import Kept, sweep
from incidents.store.codec import encode
from incidents.store.documents import Documents
from incidents.transitions import StaleDocument

HOSTILE = "<script>alert(1)</script> **bold** [x](javascript:alert(1)) | a\n# heading\n- item"
AUDIENCES = """
channels: {status-page: {webhook: {url: "http://127.0.0.1:9/status"}}, mail: {webhook: {url: "http://127.0.0.1:9/m"}}}
audiences:
  customers: [status-page]
  management: [mail]
  partners: {channels: [mail, status-page], kind: external, template: "{{ summary }} / {{ id }} {{ next_update }}"}
"""


@pytest.fixture
def rules():
    return rule_set(CRITICAL, ONCALL + AUDIENCES)


@pytest.fixture
def name(declare):
    return declare().id


@pytest.fixture
def edit(api, name):
    """Writes parts of the document, over the versions that there are unless said otherwise."""

    def edited(body, *, seen=None, who="amira"):
        etag = api.get(f"incidents/{name}/document").headers["ETag"] if seen is None else seen
        headers = {"If-Match": etag} if etag else {}
        return api.call("PATCH", f"incidents/{name}/document", who=who, json=body, headers=headers)

    return edited


def last(api, name):
    return api.get(f"incidents/{name}/timeline").json["entries"][-1]


# The six parts


def test_document_has_six_parts_with_owner_and_age(api, name, edit, clock):
    """The parts of the practice are there, each with who looks after it, its age and its history."""
    edit({"summary": "Orders fail", "status_report": "The disk of db-1 is full"})
    clock.advance(minutes=5)
    shown = api.get(f"incidents/{name}/document").json
    six = ["stakeholders", "timeline", "summary", "status_report", "objectives", "post_incident_actions"]
    assert list(shown) == [*six, "overdue_actions", "parts"]
    assert [part["part"] for part in shown["parts"]] == six
    assert (shown["summary"]["text"], shown["summary"]["by"], shown["summary"]["version"]) == (
        "Orders fail",
        "amira",
        1,
    )
    assert shown["status_report"]["age_seconds"] == 300
    assert shown["parts"][2]["owner"] == {"role": "incident_commander", "person": "amira"}
    assert shown["timeline"]["last"]["kind"] == "status_report"
    assert shown["timeline"]["entries"] == len(api.get(f"incidents/{name}/timeline").json["entries"])


def test_document_names_who_has_to_know(api, name):
    """Who has a role stands first; management has to know of a SEV1, and people add others."""
    api.post(f"incidents/{name}/escalate", {"severity": "SEV1"})
    added = {"name": "ACME", "kind": "customer", "external": True}
    assert api.post(f"incidents/{name}/stakeholders", added).json["outcome"] == "stakeholder added"
    shown = api.get(f"incidents/{name}/document").json["stakeholders"]
    told = {each["name"]: (each["kind"], each["external"], each["role"]) for each in shown}
    assert told["amira"] == ("other", False, "incident_commander")
    assert told["management"] == ("management", False, None)
    assert told["ACME"] == ("customer", True, None)
    assert last(api, name)["kind"] == "stakeholder_added"
    again = api.post(f"incidents/{name}/stakeholders", added)
    assert again.json["outcome"] == "ACME is a stakeholder already"


@pytest.mark.parametrize(
    "body", [{"name": " "}, {"kind": "king"}, {"name": "\u202e"}, {"external": "yes"}, {"name": "x" * 129}]
)
def test_document_refuses_stakeholders_that_are_none(api, name, body):
    """A name that shows nothing, a kind that there is not, and what is too long are refused by name."""
    refused = api.post(f"incidents/{name}/stakeholders", {"name": "legal", "kind": "other", "external": False} | body)
    assert refused.status_code == 422
    assert refused.json["pointer"] == f"/{next(iter(body))}"


# Editing


def test_document_edit_moves_its_tag_and_the_version(api, name, edit):
    """The ETag is that of the written parts: a note leaves it, an edit moves it, and the incident's version."""
    before = api.get(f"incidents/{name}/document").headers["ETag"]
    version = api.post(f"incidents/{name}/notes", {"text": "Hello"}).json["version"]
    assert api.get(f"incidents/{name}/document").headers["ETag"] == before
    done = edit({"summary": "Orders fail"}, seen=before)
    assert (done.status_code, done.json["summary"]["text"]) == (200, "Orders fail")
    assert done.headers["ETag"] == api.get(f"incidents/{name}/document").headers["ETag"] != before
    assert api.get(f"incidents/{name}").json["version"] == version + 1
    assert api.get(f"incidents/{name}").json["summary"] == "Orders fail"


def test_document_stale_edit_gets_both_texts(api, name, edit):
    """Whoever comes second loses nothing: 409 with both texts, how they differ, and the tag to go on with."""
    seen = api.get(f"incidents/{name}/document").headers["ETag"]
    edit({"summary": "Orders fail\nsince nine", "status_report": "x"}, seen=seen)
    refused = edit({"summary": "Orders fail\nsince eight"}, seen=seen, who="bo")
    assert (refused.status_code, refused.content_type) == (409, "application/problem+json")
    conflict = refused.json["conflicts"]["summary"]
    assert (conflict["current"], conflict["yours"]) == ("Orders fail\nsince nine", "Orders fail\nsince eight")
    assert "-since nine" in conflict["diff"]
    assert "+since eight" in conflict["diff"]
    assert (conflict["by"], list(refused.json["conflicts"])) == ("amira", ["summary"])
    joined = edit({"summary": "Orders fail since eight or nine"}, seen=refused.json["etag"], who="bo")
    assert joined.status_code == 200


@pytest.mark.parametrize(
    ("seen", "body", "status"),
    [
        ("", {"summary": "x"}, 428),
        ("*", {"summary": "x"}, 200),
        ('W/"s0r0"', {"summary": "x"}, 200),
        ('"s0r9", "s0r0"', {"summary": "x"}, 200),
        ("nonsense", {"summary": "x"}, 409),
        (None, {}, 422),
        (None, {"summary": None}, 422),
        (None, {"summary": "x" * 65537}, 422),
        (None, {"summary": "x" * 1_100_000}, 413),
        (None, {"timeline": "x"}, 422),
    ],
)
def test_document_edit_says_what_is_wrong(edit, seen, body, status):
    """An edit without a base, without a text, too long or of a part that nobody writes is refused by name."""
    answer = edit(body, seen=seen)
    assert answer.status_code == status
    assert status == 200 or answer.json["detail"]


def test_document_keeps_every_version(api, edit, name, declare, clock):
    """The history has each text with who wrote it and what it changed, page by page."""
    for number in range(3):
        clock.advance(seconds=1)
        edit({"status_report": f"Report {number}"}, who="amira" if number % 2 else "bo")
    first = api.get(f"incidents/{name}/document/history?part=status_report&limit=2").json
    rest = api.get(f"incidents/{name}/document/history?part=status_report&after={first['next']}").json
    versions = [*first["versions"], *rest["versions"]]
    assert [(each["version"], each["by"], each["text"]) for each in versions] == [
        (1, "bo", "Report 0"),
        (2, "amira", "Report 1"),
        (3, "bo", "Report 2"),
    ]
    assert "-Report 1\n+Report 2" in versions[2]["diff"]
    assert rest["next"] is None
    told = api.get(f"incidents/{name}/document/history?part=stakeholders").json["versions"]
    assert [each["version"] for each in told] == [None] * len(told)


def test_document_keeps_the_summary_it_was_declared_with(api, clock):
    """The first version is that of the declaring and of whoever declared, before and after somebody edits it."""
    body = {"title": "Orders fail", "severity": "SEV3", "summary": "Nobody can order"}
    declared = api.post("incidents", body).json
    path = f"incidents/{declared['id']}/document"
    first = {name: api.get(path).json["summary"][name] for name in ("version", "by", "at")}
    assert first == {"version": 1, "by": "amira", "at": declared["declared_at"]}
    refused = api.call("PATCH", path, who="bo", json={"summary": "Some can"}, headers={"If-Match": '"s0r0"'})
    conflict = refused.json["conflicts"]["summary"]
    assert {name: conflict[name] for name in first} == first
    before = api.get(f"{path}/history?part=summary").json["versions"]
    assert [each["text"] for each in before] == ["Nobody can order"]
    clock.advance(seconds=1)
    etag = api.get(path).headers["ETag"]
    api.call("PATCH", path, who="bo", json={"summary": "Some can"}, headers={"If-Match": etag})
    after = api.get(f"{path}/history?part=summary").json["versions"]
    assert [(each["version"], each["by"], each["text"]) for each in after] == [
        (1, "amira", "Nobody can order"),
        (2, "bo", "Some can"),
    ]


def test_document_loses_no_edit_of_many_at_once(name, incidents, links, clock):
    """Several people write, and join what they were refused for: each text is a version, and every number is there."""

    def write(person: int) -> None:
        for number in range(4):
            written = False
            while not written:
                seen = tag_of(incidents.get(name)[0])
                event = DocumentEdited(actor=f"p{person}", seen=seen, status_report=f"{person}.{number}")
                with contextlib.suppress(StaleDocument):
                    incidents.apply(name, event, now=clock.now)
                    written = True

    with ThreadPoolExecutor(4) as people:
        list(people.map(write, range(4)))
    kept = Documents(links).versions(name, Part.STATUS_REPORT).versions
    assert [version.version for version in kept] == list(range(1, 17))
    assert {version.text for version in kept} == {f"{person}.{number}" for person in range(4) for number in range(4)}


def test_document_of_a_merged_incident_is_not_lost(api, name, edit, declare):
    """Its id leads to the document of the one that goes on, and its own versions stay; its tasks go along."""
    into = declare("web").id
    edit({"summary": "Ours", "status_report": "Theirs"})
    api.post(f"incidents/{name}/tasks", {"text": "Look"})
    assert api.post(f"incidents/{name}/merge", {"into": into}).status_code == 200
    assert api.get(f"incidents/{name}/document").json["status_report"]["tasks"][0]["text"] == "Look"
    kept = api.get(f"incidents/{name}/document/history?part=status_report").json["versions"]
    assert [each["text"] for each in kept] == ["Theirs"]
    assert edit({"summary": "More"}, seen="*").status_code == 409


def test_document_of_an_archived_incident_is_whole(api, name, edit, links, clock):
    """What was packed away is read and written like any other, with all its versions."""
    edit({"summary": "Ours", "status_report": "Theirs"})
    api.post(f"incidents/{name}/dismiss", {"reason": "a drill"})
    clock.advance(days=100)
    with links.borrow() as link:
        assert sweep(link, 0, Kept(timedelta(days=30), timedelta(days=400)), clock.now).archived == (name,)
    assert api.get(f"incidents/{name}/document").json["status_report"]["text"] == "Theirs"
    assert edit({"status_report": "More"}).json["status_report"]["version"] == 2
    assert len(api.get(f"incidents/{name}/document/history?part=status_report").json["versions"]) == 2


@pytest.mark.parametrize("query", ["", "?part=", "?part=weather", "?part=summary&after=x", "?part=timeline&after=x"])
def test_document_history_says_what_there_is(api, name, query):
    """A part or a cursor that there is not is a mistake of the caller's."""
    assert api.get(f"incidents/{name}/document/history{query}").status_code == 400


def test_document_edit_without_a_difference_changes_nothing(api, name, edit):
    """The same summary again is no version; the same status report is, for it was looked at."""
    edit({"summary": "x", "status_report": "y"})
    tag = api.get(f"incidents/{name}/document").headers["ETag"]
    assert edit({"summary": "x"}).headers["ETag"] == tag
    assert edit({"status_report": "y"}).json["status_report"]["version"] == 2


# CommonMark


def test_document_page_has_no_foreign_markup(api, name, edit):
    """What people and alerts wrote is text; the page is ours alone."""
    edit({"summary": HOSTILE, "status_report": HOSTILE})
    api.post(f"incidents/{name}/tasks", {"text": HOSTILE, "person": "bo"})
    api.post(f"incidents/{name}/notes", {"text": HOSTILE})
    api.post(f"incidents/{name}/stakeholders", {"name": HOSTILE[:60], "kind": "other", "external": False})
    answer = api.get(f"incidents/{name}/document.md")
    assert answer.content_type == "text/markdown; charset=utf-8"
    html = MarkdownIt("gfm-like", {"linkify": False}).render(answer.text)
    assert "<script" not in html
    assert "<strong>bold" not in html
    assert "javascript:alert" not in html.replace("[x](javascript:alert(1))", "")
    headings = [line for line in answer.text.splitlines() if line.startswith("#")]
    assert headings == [
        f"# {name}: It is broken",
        "## Summary",
        "## Detailed status report",
        "### Tasks",
        "## Stakeholders",
        "## Resolution objectives",
        "## Post-incident actions",
        "## Timeline",
    ]


def test_document_page_begins_with_the_course_of_the_incident(api, incidents, name, declare, links, clock):
    """When it was acknowledged, mitigated and over, in UTC; the runbook; what was overdue of earlier ones."""
    earlier = declare("earlier").id
    changes = {"runbook": "https://runbooks.example/x", "overdue_actions": (Overdue(incident=earlier, count=2),)}
    with links.borrow() as link:
        link.one("SET", keys.incident(name), encode(replace(incidents.get(name)[0], **changes)))
    for what in ("acknowledge", "mitigate", "resolve"):
        clock.advance(minutes=1)
        assert api.post(f"incidents/{name}/{what}", {}).status_code == 200
    page = api.get(f"incidents/{name}/document.md").text
    assert re.findall(r"- (Acknowledged|Mitigated|Over): 2026-01-05 09:0\d:\d\d UTC", page) == [
        "Acknowledged",
        "Mitigated",
        "Over",
    ]
    assert "- Found by: a person" in page
    assert "(<https://runbooks.example/x>)" in page
    assert f"2 post-incident actions of {earlier} are overdue, which the same rule declared." in page


# Tasks


def test_tasks_are_given_told_and_ticked_off(api, name, links, clock):
    """A task stands in the status report; to whom it is given is told; it is ticked off by its id or its words."""
    given = api.post(f"incidents/{name}/tasks", {"text": "Look at the disks", "person": "bo"})
    assert given.json["outcome"] == "task given"
    assert last(api, name)["text"] == "amira asked bo: Look at the disks"
    with links.borrow() as link:
        assert any(b"told" in page for page in link.one("ZRANGE", keys.pages_due(), 0, -1))
    done = api.post(f"incidents/{name}/tasks", {"id": "task-1", "done": True}, who="bo")
    assert done.json["outcome"] == "task done"
    task = api.get(f"incidents/{name}/document").json["status_report"]["tasks"][0]
    assert (task["id"], task["person"], task["by"], task["done_by"]) == ("task-1", "bo", "amira", "bo")
    api.post(f"incidents/{name}/tasks", {"text": "Call ACME"})
    clock.advance(seconds=1)
    said = [api.post(f"incidents/{name}/tasks", {"text": text, "done": True}) for text in ("call acme", "call abc")]
    assert [each.json["note"] for each in said] == [
        "task-2 is done.",
        "No open task has these words: task-3 was written down as done.",
    ]
    tasks = api.get(f"incidents/{name}/document").json["status_report"]["tasks"]
    assert [(each["text"], each["done"]) for each in tasks][1:] == [("Call ACME", True), ("call abc", True)]
    opened = api.post(f"incidents/{name}/tasks", {"id": "task-2", "done": False, "person": "nobody-known"})
    assert opened.json["note"] == "nobody-known is nobody whom the rule files know, and was not told."


@pytest.mark.parametrize("body", [{}, {"text": " "}, {"id": "task-9", "done": True}, {"text": "x" * 2001}])
def test_tasks_that_are_none_are_refused(api, name, body):
    """A task has a text; one that is changed exists."""
    assert api.post(f"incidents/{name}/tasks", body).status_code == 422


# Communications


def test_communications_are_noted(api, name):
    """What was told to whom on which channel stands on the timeline, whoever sent it."""
    body = {"audience": "the board", "text": "We are on it", "channel": "telephone"}
    assert api.post(f"incidents/{name}/communications", body).json["outcome"] == "communicated"
    entry = last(api, name)
    assert entry["text"] == "amira told the board over telephone: We are on it"
    assert entry["data"] == {"audience": "the board", "channel": "telephone", "send": False}


def test_communications_are_sent_over_the_channels_of_the_audience(api, name, links):
    """Each channel gets a message of its own, under a name of its own."""
    body = {"audience": "partners", "text": "We are on it", "send": True}
    assert api.post(f"incidents/{name}/communications", body).status_code == 200
    assert last(api, name)["data"]["channels"] == ["mail", "status-page"]
    with links.borrow() as link:
        due = [each.decode() for each in link.one("ZRANGE", keys.pages_due(), 0, -1)]
    assert sum("communication" in each for each in due) == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"audience": "customer"}, "there is customers, management, partners"),
        ({"audience": "customers", "channel": "mail"}, "customers is told over status-page, not over 'mail'."),
        ({"audience": "customers", "text": "x" * 2501}, "at most 2500 characters"),
        ({"audience": " "}, "The audience is empty."),
        ({"audience": "customers", "text": "\u202e"}, "The text is empty."),
    ],
)
def test_communications_that_cannot_be_sent_say_why(api, name, body, said):
    """An audience without channels is answered with those that have some; nothing is written."""
    refused = api.post(f"incidents/{name}/communications", {"text": "Hello", "send": True, **body})
    assert refused.status_code == 422
    assert said in refused.json["detail"]
    assert last(api, name)["kind"] != "communication"


def test_communications_begin_as_a_draft_from_the_summary(api, name, edit):
    """Each kind of audience has its words; those outside see neither severity nor title."""
    path = f"incidents/{name}/document/communication?audience="
    assert "We will tell more" in api.get(f"{path}customers").json["text"]
    edit({"summary": "Orders fail for some."})
    told = api.get(f"{path}customers").json
    assert (told["kind"], told["channels"]) == ("customers", ["status-page"])
    assert told["text"].startswith("We are looking into a problem: Orders fail for some.")
    assert "SEV2" not in told["text"]
    assert "It is broken" in api.get(f"{path}management").json["text"]
    partners = api.get(f"{path}partners").json["text"]
    assert partners.startswith(f"Orders fail for some. / {name} The next update follows by")
    assert api.get(f"{path}anybody").json["channels"] == []
    assert api.get(path).status_code == 400


# Who may


def test_document_of_a_restricted_incident_is_not_there_for_others(api, name, incidents, links, edit):
    """Neither the document nor its history, for who has no role in it."""
    incident = incidents.get(name)[0]
    with links.borrow() as link:
        link.one("SET", keys.incident(name), encode(replace(incident, restricted=True)))
    for path in ("document", "document.md", "document/history?part=summary", "document/communication?audience=x"):
        assert api.get(f"incidents/{name}/{path}", who="bo").status_code == 404
        assert api.get(f"incidents/{name}/{path}", who="amira").status_code == 200
    assert edit({"summary": "x"}, seen="*", who="bo").status_code == 404
    assert edit({"summary": "x"}, seen="*", who="val").status_code == 403


def test_document_is_written_after_the_end(api, name, edit):
    """What is learned later is written down, told and given as a task as well."""
    api.post(f"incidents/{name}/resolve", {"override": "over"})
    assert edit({"summary": "It was a full disk"}).status_code == 200
    assert api.post(f"incidents/{name}/tasks", {"text": "Clean up"}).status_code == 200
    assert api.post(f"incidents/{name}/communications", {"audience": "all", "text": "Over"}).status_code == 200
    shown = api.get(f"incidents/{name}/document").json["status_report"]
    assert (shown["review_due_at"], shown["review_due"]) == (None, False)
