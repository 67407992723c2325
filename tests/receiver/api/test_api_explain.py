"""`GET /api/v1/explain` over a real store and a real journal."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from builders import alert, rule_set
from stage import Stage

from incidents.clock import utc_now
from incidents.incident import Incident
from incidents.store.connection import Links
from incidents.store.journal import expect, standing
from incidents.store.rulesets import RuleSets
from receiver.deps import Deps
from workers.journaling import Journaling

RULES = """
rules:
- id: critical
  match: 'severity="critical"'
  declare: SEV2
- id: long
  match: 'severity="critical"'
  when: {firing_for: 5m}
  declare: SEV1
- id: other
  match: ['team="db"', 'severity="critical"']
  declare: SEV3
"""


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    stage = Stage(store_url, links, rule_set(RULES))
    stage.now = utc_now()
    expect(stage.link)
    return stage


@pytest.fixture
def explain(stage: Stage, deps: Deps, make_api: Callable, tmp_path: Path) -> Callable:
    """Write the journal, and ask."""
    directory = tmp_path / "journal"
    stage.link.one("SET", "tocsin:rules:current", stage.rules.hash)
    told = msgspec.structs.replace(
        deps.api, journal=directory, rule_set=lambda: stage.rules, rule_set_of=lambda _: stage.rules
    )
    api = make_api(api=told, now=lambda: stage.now)

    def ask(**query: str) -> dict:
        writing = Journaling(
            url=stage.url, owner="me", directory=directory, keep=timedelta(days=9), now=lambda: stage.now
        )
        while standing(stage.link).lag:
            writing.step()
            writing.flush()
        writing._end()
        answer = api.call("GET", "explain", query_string=query)
        return answer.json | {"code": answer.status_code}

    return ask


def test_explain_an_event_by_the_id_of_its_answer(stage: Stage, explain: Callable):
    """An event tells what each rule said then, what is missing and until when, and what came of it."""
    appended = stage.intake.append_alerts(source="prom", alerts=[alert(), alert(instance="b")], received_at=stage.now)
    stage.decide()
    answer = explain(event=appended.event_id)
    first, second = answer["explanations"]
    assert (first["became"], first["basis"], first["rules_changed"]) == ("fired", "recorded", False)
    critical, long = first["rules"]
    assert critical["result"] == "declared INC-2026-0001"
    assert (long["outcome"], long["conditions"][0]["condition"]) == ("waits", "firing_for")
    assert "of 5m" in long["conditions"][0]["missing"]
    assert [missed["rule"] for missed in first["missed"]] == ["other"]
    assert "there is no team" in first["missed"][0]["why"]
    assert first["happened"][0]["entries"][0] == "incident_declared"
    assert "knows its finding already" in second["rules"][0]["result"]
    assert [each["id"] for each in explain(event=f"{appended.event_id}.1")["explanations"]] == [second["id"]]


def test_explain_an_incident_by_what_changed_it(stage: Stage, explain: Callable):
    """An incident tells of the event that declared it, and not of each alert that joined."""
    stage.post(alert())
    stage.decide()
    stage.post(alert(instance="b"))
    stage.decide()
    answer = explain(incident="INC-2026-0001")
    (event,) = answer["explanations"]
    assert event["labels"] == alert().labels
    assert any("critical found SEV2" in line for line in answer["summary"])


def test_explain_an_alert_as_of_now(stage: Stage, explain: Callable):
    """An alert that is remembered is judged by the rules of now, and nothing changes by that."""
    stage.post(alert())
    stage.decide()
    before = stage.balance()
    stage.now += timedelta(minutes=2)
    (now,) = explain(alert=f"prom/{alert().fingerprint}")["explanations"]
    assert (now["basis"], [rule["outcome"] for rule in now["rules"]]) == ("now", ["holds", "waits"])
    assert now["rules"][0]["incident"] == "INC-2026-0001"
    assert stage.balance() == before


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 400),
        ({"event": "1-0", "incident": "INC-2026-0001"}, 400),
        ({"event": "what"}, 400),
        ({"event": "99999999999999999999999999-0"}, 400),
        ({"event": "1-0"}, 404),
        ({"incident": "INC-2026-0001"}, 404),
        ({"incident": "../../etc"}, 404),
        ({"alert": "prom/nothing"}, 404),
    ],
)
def test_explain_refuses_what_it_cannot_explain(explain: Callable, query: dict[str, str], code: int):
    """Nonsense is 400, and what is not there 404."""
    assert explain(**query)["code"] == code


def test_explain_without_a_journal_says_where_there_is_one(make_api: Callable, declare: Callable[..., Incident]):
    """A host without a journal says so, and on which host to ask."""
    declared = declare()
    answer = make_api().call("GET", f"explain?incident={declared.id}")
    assert (answer.status_code, "worker facts" in answer.json["hint"]) == (404, True)


def test_explain_by_rules_that_are_gone(stage: Stage, explain: Callable, links: Links):
    """Under other rules than those in force, it says that they changed."""
    appended = stage.intake.append_alerts(source="prom", alerts=[alert()], received_at=stage.now)
    stage.decide()
    other = rule_set("rules: []")
    RuleSets(links).publish(other.hash, [("a.yml", "rules: []")], stage.now)
    assert explain(event=appended.event_id)["explanations"][0]["rules_changed"] is True
