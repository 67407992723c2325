"""`tocsin oncall override` against a look-alike of the API: what it sends, and what it says."""

import json

import pytest
from api_look_alike import commands_against

MADE = {
    "id": "OVR-00c0ffee",
    "rotation": "commanders",
    "person": "bo",
    "from": "2026-11-02T03:00:00.000Z",
    "until": "2026-11-02T11:00:00.000Z",
    "note": "",
    "by": "amira",
    "at": "2026-11-02T03:00:00.000Z",
    "state": "active",
    "overlaps": [],
}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def run(tmp_path, asked):
    """Run a sub-command against an API that takes everything."""

    def answer(method, path, body):
        asked.append((method, path, body))
        return {"overrides": [MADE | {"id": "OVR-0", "state": "over"}, MADE]} if method == "GET" else MADE

    with commands_against(tmp_path, answer, "oncall", "override") as run:
        yield run


def test_override_add_says_from_when_to_when(run, asked):
    """The end by an instant, or by how long."""
    done = run("add", "commanders", "bo", "--from", "2026-11-02T03:00:00Z", "--for", "8h", "--note", "swap")
    assert done.exit_code == 0, done.output
    assert "OVR-00c0ffee: bo holds commanders" in done.stdout
    assert asked == [
        ("POST", "/api/v1/oncall/overrides", {
            "rotation": "commanders", "person": "bo", "note": "swap",
            "from": "2026-11-02T03:00:00.000Z", "until": "2026-11-02T11:00:00.000Z",
        })
    ]  # fmt: skip


@pytest.mark.parametrize(
    "how", [[], ["--for", "1h", "--until", "2026-11-02"], ["--for", "soon"], ["--until", "soon"], ["--for", "900000w"]]
)
def test_override_add_needs_one_end(run, asked, how):
    """None, both, and what is no time are refused before anything is sent."""
    assert run("add", "commanders", "bo", *how).exit_code == 2
    assert asked == []


def test_override_list_leaves_out_what_is_over(run):
    """Those that are over are shown on request."""
    assert "OVR-0 " not in run("list").stdout
    assert len(json.loads(run("list", "--all", "--output", "json").stdout)["overrides"]) == 2


def test_override_end_takes_it_away(run, asked):
    """By its id."""
    assert run("end", "OVR-00c0ffee").exit_code == 0
    assert asked == [("DELETE", "/api/v1/oncall/overrides/OVR-00c0ffee", None)]
