"""Post-incident actions over the API: written, changed, listed over all incidents, and overdue a day late."""

import pytest


def write(api, incident, **body):
    return api.post(f"incidents/{incident.id}/post_incident_actions", body, who="bo")


def listed(api, query="", who="val"):
    found = api.get(f"post_incident_actions{query}", who=who).json["post_incident_actions"]
    return [f"{each['incident'][-1]}/{each['id']}" for each in found]


def test_api_post_incident_actions_are_written_changed_and_listed(api, declare, clock):
    """Open ones come first, by when they are due; what is done stays, and is asked for by its state."""
    one, two = declare("a"), declare("b")
    day = clock.now.date().isoformat()
    link = "https://tracker.example.org/OPS-12"
    assert write(api, one, text="Alert on disks", owner="bo", due="2030-01-01", link=link).status_code == 200
    assert write(api, one, text="Drop the cache").json["outcome"] == "post-incident action 2"
    api.post(f"incidents/{two.id}/resolve", {})
    assert write(api, two, text="Test the backup", due=day).status_code == 200
    assert listed(api) == ["2/1", "1/1", "1/2"]
    write(api, one, id="2", state="dropped")
    write(api, one, id="1", owner=None, due=None)
    assert (listed(api, "?state=open"), listed(api, "?state=dropped")) == (["2/1", "1/1"], ["1/2"])
    own = api.get(f"incidents/{one.id}/post_incident_actions").json["post_incident_actions"][0]
    assert (own["owner"], own["due"], own["link"], own["state"], own["by"]) == (None, None, link, "open", "bo")
    clock.advance(days=1)
    assert listed(api, "?overdue=true") == ["2/1"]
    assert listed(api, "?overdue=false") == ["1/1", "1/2"]
    texts = [
        entry["text"] for entry in api.get(f"incidents/{one.id}/timeline?kind=post_incident_action").json["entries"]
    ]
    assert texts[0] == f"bo wrote post-incident action 1 down: Alert on disks (owner bo, due 2030-01-01, {link})"
    assert texts[2] == "bo says that post-incident action 2 is dropped: Drop the cache"


def test_api_post_incident_actions_come_page_by_page(api, declare):
    """Each page goes on where the last one ended."""
    incident = declare()
    for number in range(5):
        write(api, incident, text=f"{number}")
    seen, after = [], ""
    while True:
        page = api.get(f"post_incident_actions?limit=2&after={after}").json
        seen += [each["text"] for each in page["post_incident_actions"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["0", "1", "2", "3", "4"]
    assert api.get("post_incident_actions?after=INC-1/1").status_code == 400


def test_api_post_incident_actions_that_were_due_before_are_taken_and_said_to_be_overdue(api, declare):
    """What was agreed long ago is written down as it was; a slip of the pen is seen."""
    incident = declare()
    answer = write(api, incident, text="Alert on disks", due="2020-01-01")
    assert answer.json["note"] == "Post-incident action 1 was due on 2020-01-01: it is overdue."
    assert write(api, incident, id="1", state="done").json.get("note") is None
    assert listed(api, "?overdue=true") == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": " "}, "/text"),
        ({"text": "x", "due": "1999-12-31"}, "/due"),
        ({"text": "x", "due": "2999-01-01"}, "/due"),
        ({"text": "x", "due": "tomorrow"}, "/due"),
        ({"text": "x", "link": "javascript:alert(1)"}, "/link"),
        ({"text": "x", "link": "https://user:word@example.org/"}, "/link"),
        ({"text": "x", "state": "finished"}, "/state"),
        ({"id": "7", "state": "done"}, "/id"),
        ({"text": "x" * 70_000}, "/text"),
    ],
)
def test_api_post_incident_actions_refuse_what_does_not_fit(api, declare, body, pointer):
    """Each mistake is named by its place, and nothing is written."""
    incident = declare()
    refused = write(api, incident, **body)
    assert (refused.status_code, refused.json["pointer"]) == (422, pointer)
    assert api.get(f"incidents/{incident.id}").json["version"] == incident.version


@pytest.mark.parametrize("due", ["tomorrow", "12/01/2026", 5])
def test_api_post_incident_actions_say_what_a_day_is(api, declare, due):
    """What is no day is refused in words for people, with an example."""
    refused = write(api, declare(), text="x", due=due).json
    assert (refused["detail"], refused["hint"]) == ("Due is not a day.", "Write it like 2026-12-01.")
