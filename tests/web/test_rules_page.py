"""The page of rules: each with its place, words, counts and precision; and what they would make of a pasted alert."""

import html
import re

import pytest
from builders import CRITICAL, ONCALL, rule_set
from msgspec.structs import replace

from incidents import events, keys
from incidents.measures import Measures
from incidents.store.codec import encode
from receiver.web import rules as page_of_rules

MORE = """
- id: slow-disk
  match: 'disk="slow"'
  mode: shadow
  tiers:
  - {when: {firing_for: 30m}, declare: SEV2}
  - {when: {count: {gte: 3, within: 5m}}, declare: SEV3}
- id: crowded
  match: ['alertname!~"A.*"', 'alertname!~"B.*"', 'environment!~"development|testing|qa|staging|sandbox|a-long-one"',
    'namespace!~"kube-system|monitoring|ingress|calico-system|metallb-system|another-one"']
  tiers: [{declare: SEV4}]
"""


@pytest.fixture
def rules():
    return rule_set(CRITICAL + MORE, ONCALL)


def plain(page):
    main = page[page.index("<main") : page.index("</main>")]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def test_rules_page_tells_each_rule_in_words(amira, links):
    """Where it stands, what it matches, when each tier holds, and what came of it."""
    with links.borrow() as link:
        link.one("HINCRBY", keys.counters(), Measures.RULE_DECISIONS.field("critical", "holds"), 7)
        link.one("HINCRBY", keys.counters(), Measures.RULE_ERRORS.field("critical"), 2)
    said = plain(amira.get("/rules").text)
    assert 'critical enforce other severity="critical" declares SEV2 holds 7 2 errors' in said
    assert "0.yml:3" in said
    assert "slow-disk shadow other" in said
    assert "crowded enforce other 4 matchers alertname!~" in said
    assert "declares SEV2 when firing for 30m declares SEV3 when 3 alerts within 5m" in said
    assert "no alert has matched it yet" in said


def test_rules_page_tells_how_right_a_rule_was(amira, declare, incidents, links, clock):
    """What it declared last, and how many of its incidents were none."""
    for service in ("one", "two"):
        incident = declare(service)
        with links.borrow() as link:
            link.one("SET", keys.incident(incident.id), encode(replace(incident, rule="critical")))
        clock.advance(minutes=30)
    incidents.apply(incident.id, events.Dismiss(actor="bo", reason="a test"), now=clock.now)
    said = plain(amira.get("/rules").text)
    assert "0 % precise, 1 of 2 dismissed in 90 d its incidents SEV2 two 30 min ago, dismissed" in said
    assert "SEV2 one 1 h ago, declared" in said


def test_rules_page_explains_what_is_pasted(browser_of):
    """As `tocsin rules explain` does; a viewer may, for nothing is stored."""
    val = browser_of("val")
    answer = val.post("/rules", "/rules", alert="alertname: X\nseverity: critical\nservice: db", firing_for="5m")
    assert answer.status_code == 200
    said = plain(answer.text)
    assert "critical (holds SEV2): would have declared incident 1" in said
    assert "firing since 2026-01-05 08:55:00Z, for 5m" in said
    assert 'slow-disk: disk="slow" misses: there is no disk' in said
    body = '{"alerts": [{"labels": {"alertname": "<script>alert(1)</script>", "severity": "\\u202einfo"}}]}'
    shown = val.post("/rules", "/rules", alert=body).text
    assert "<script>alert" not in shown
    assert "severity=&#34;\\u202einfo&#34;" in shown


def test_rules_page_looks_back_a_week_at_most(amira):
    """Years of paging would take a minute to simulate."""
    body = '{"labels": {"alertname": "X", "severity": "critical", "service": "db"}, "startsAt": "1999-01-01T00:00:00Z"}'
    said = plain(amira.post("/rules", "/rules", alert=body).text)
    assert "firing since 2025-12-29 09:00:00Z, for 7d" in said


@pytest.mark.parametrize(
    ("alert", "firing_for", "said"),
    [
        ("", "", "holds no alert"),
        ("just words", "", "holds no alert"),
        ("a: b", "soon", "Write a duration such as 10m"),
        ("a: b", "30d", "7 days at most"),
        ("x" * 70_000, "", "longer than 64 KiB"),
        ("[" * 9_000, "", "nested deeper than 100 levels"),
        ("[" + ",".join(['{"a": "b"}'] * 21) + "]", "", "20 at most"),
    ],
)
def test_rules_page_says_what_it_cannot_explain(amira, alert, firing_for, said):
    """And keeps what was pasted."""
    answer = amira.post("/rules", "/rules", alert=alert, firing_for=firing_for)
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert alert[:100] in html.unescape(answer.text)


def test_rules_page_tries_one_thing_at_a_time(amira, monkeypatch):
    """Who comes second is asked to come again, and the webhooks keep their threads."""
    monkeypatch.setattr(page_of_rules, "WAIT_SECONDS", 0.01)
    with page_of_rules.trying:
        answer = amira.post("/rules", "/rules", alert="a: b")
    assert answer.status_code == 503
    assert "Send it again" in answer.text
