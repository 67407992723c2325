"""Merging over the API: what moves, where the ids lead, and what is refused with what can be done instead."""

from concurrent.futures import ThreadPoolExecutor

import pytest

MERGED = "incidents/{}/merge"


def merge(api, one, into, **more):
    return api.post(MERGED.format(one.id), {"into": into.id} | more)


def test_api_merging_lets_both_ids_lead_to_the_one(api, declare):
    """The answer, the incident and the timeline of the merged id are those of the one that goes on."""
    one, into = declare("db"), declare("web")
    api.post(f"incidents/{one.id}/notes", {"text": "the disk is full"})
    answer = merge(api, one, into, note="one cause")
    assert (answer.status_code, answer.json["id"], answer.json["outcome"]) == (200, into.id, f"merged into {into.id}")
    shown = api.get(f"incidents/{one.id}")
    assert (shown.json["id"], shown.json["merged_into"], shown.json["merged"]) == (into.id, into.id, [one.id])
    assert shown.headers["ETag"] == api.get(f"incidents/{into.id}").headers["ETag"]
    assert api.get(f"incidents/{into.id}").json["merged_into"] is None
    entries = api.get(f"incidents/{one.id}/timeline").json["entries"]
    assert entries == api.get(f"incidents/{into.id}/timeline").json["entries"]
    assert [entry["text"] for entry in entries if entry["kind"] in {"note", "merged"}] == [
        "the disk is full",
        f"amira merged {one.id} (SEV2, declared) into it: It is broken (one cause)",
    ]
    assert len({entry["id"] for entry in entries}) == len(entries)
    listed = {each["id"]: each for each in api.get("incidents").json["incidents"]}
    assert (listed[one.id]["status"], listed[one.id]["merged_into"]) == ("resolved", into.id)


def test_api_merging_of_a_graver_one_raises_the_severity_and_keeps_everybody(api, declare):
    """The gravest severity stays, stakeholders are joined, and a chain of merges leads to its end."""
    one, two, into = declare("db", severity="SEV1"), declare("web"), declare("cache", severity="SEV3")
    assert merge(api, one, two).json["severity"] == "SEV1"
    assert merge(api, two, into).json["severity"] == "SEV1"
    shown = api.get(f"incidents/{one.id}").json
    assert (shown["id"], shown["merged"]) == (into.id, [two.id, one.id])
    kinds = [entry["kind"] for entry in api.get(f"incidents/{one.id}/timeline").json["entries"]]
    assert kinds.count("merged") == 2
    assert "management" in {each["name"] for each in shown["stakeholders"]}


def test_api_merged_incident_takes_no_command(api, declare):
    """Whoever has the old id is told where to go on."""
    one, into = declare("db"), declare("web")
    merge(api, one, into)
    for command, body in (("acknowledge", {}), ("notes", {"text": "x"}), ("reopen", {}), ("merge", {"into": into.id})):
        refused = api.post(f"incidents/{one.id}/{command}", body)
        assert (refused.status_code, refused.json["merged_into"]) == (409, into.id)
        assert into.id in refused.json["hint"]


def test_api_merging_refuses_what_cannot_be_joined(api, declare):
    """Itself, a closed one, a merged one, none at all: each says what is, and nothing is changed."""
    one, into, gone, other = declare("a"), declare("b"), declare("c"), declare("d")
    assert api.post(f"incidents/{gone.id}/dismiss", {"reason": "x"}).status_code == 200
    merge(api, other, into)
    itself, closed, merged, ended = (
        merge(api, one, one),
        merge(api, one, gone),
        merge(api, one, other),
        merge(api, gone, one),
    )
    assert [each.status_code for each in (itself, closed, merged, ended)] == [409] * 4
    assert "itself" in itself.json["detail"]
    assert f"{gone.id} is dismissed" in closed.json["detail"]
    assert merged.json["hint"] == f"Merge {one.id} into {into.id}."
    for name in ("INC-2026-0999", "x", "INC-1-1:2"):
        missing = api.post(MERGED.format(one.id), {"into": name})
        assert (missing.status_code, missing.json["pointer"]) == (422, "/into")
    assert api.post(MERGED.format("INC-2026-0999"), {"into": one.id}).status_code == 404
    assert api.get(f"incidents/{one.id}").json["version"] == one.version


def test_api_merging_both_ways_at_once_leaves_one_open(api, app, declare):
    """Two people merge each into the other: one of them is told that it is done already."""
    one, two = declare("a"), declare("b")
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda pair: merge(type(api)(app.test_client()), *pair), [(one, two), (two, one)]))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    statuses = [each["status"] for each in api.get("incidents").json["incidents"]]
    assert sorted(statuses) == ["declared", "resolved"]


def test_api_merging_asks_for_the_version_that_was_read(api, declare):
    """`If-Match` is of the incident that is merged."""
    one, into = declare("db"), declare("web")
    stale = api.post(MERGED.format(one.id), {"into": into.id}, headers={"If-Match": '"9"'})
    assert (stale.status_code, stale.json["version"]) == (412, one.version)


@pytest.mark.parametrize("service", ["db", "web"])
def test_api_merged_identities_are_taken(api, declare, service):
    """Declaring by either identity is refused, and names the incident that goes on."""
    one, into = declare("db"), declare("web")
    merge(api, one, into)
    body = {"title": "again", "severity": "SEV3", "identity": {"service": service}}
    refused = api.post("incidents", body)
    assert (refused.status_code, refused.json["incident"]) == (409, into.id)
