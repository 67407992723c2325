"""The differences of two rule sets: in effect, by section, name and field, and never a secret."""

import pytest

from rules.diff.compare import compare
from rules.diff.tell import as_json, diff_lines

OLD = """
rules:
- {id: gone, match: 'a="b"', declare: SEV1}
- id: critical
  match: 'severity="critical"'
  tiers:
  - {when: {firing_for: 5m}, declare: SEV3}
  - {when: {count: {gte: 5, within: 10m}}, declare: SEV2}
people:
  amira: {channels: [{webhook: {url: "https://pager/s3cret"}}]}
  bo: {name: Bo, channels: [phone]}
channels: {phone: {webhook: {url: "https://phone/t0ken", secret_file: /run/a}}}
rotations: {c: {order: [amira, bo]}}
paging: {default: {steps: [{page: rotation:c}, {page: [bo, amira]}]}}
"""
NEW = """
rules:
- id: critical
  match: 'severity=~"critical|page"'
  tiers:
  - {when: {firing_for: 600s, match: 'x="y"'}, declare: SEV3}
  - {when: {count: {gte: 5, within: 10m}}, declare: SEV1, assign: [communications]}
  - {declare: SEV4}
- {id: new, match: 'a="b"', when: {any: [{firing_for: 5m}, {none: [{match: 'x="y"'}]}]}, declare: SEV2, mode: shadow}
people:
  amira: {channels: [{webhook: {url: "https://pager/0ther"}}]}
  bo: {name: Bob, channels: [phone]}
channels: {phone: {webhook: {url: "https://phone/n3w", secret_file: /run/b}}}
rotations: {c: {order: [bo, amira], handoff: {every: 1d}}}
paging: {default: {steps: [{page: rotation:c}, {page: [bo, amira], acknowledge_within: 10m}], rounds: 5}}
severities: {SEV1: {acknowledge_within: 1m}}
normalize: {service: [service, app]}
defaults: {reopen_within: 1h}
"""
EXPECTED = """
~ rule critical
    match: severity="critical" -> severity=~"critical|page"
    reopen_within: 30m -> 1h
    tier 1 when: firing_for: 5m -> firing_for: 10m and match: x="y"
    tier 2 declare: SEV2 -> SEV1
    tier 2 assign: nothing -> communications
    tier 3: nothing -> {declare: SEV4}
+ rule new
    match: a="b"
    identity: service
    mode: shadow
    reopen_within: 1h
    when: any: [firing_for: 5m; none: [match: x="y"]]
    declare: SEV2
- rule gone
    match: a="b"
    identity: service
    reopen_within: 30m
    declare: SEV1
+ normalized label service
    service, app
~ defaults
    reopen_within: 30m -> 1h
~ person amira
    channels: webhook -> webhook, with other settings
~ person bo
    name: Bo -> Bob
    channels: phone -> phone, with other settings
~ channel phone
    url: *** -> ***
    secret_file: /run/a -> /run/b
~ rotation c
    order: amira, bo -> bo, amira
    every: 7d -> 1d
~ paging policy default
    step 2: {page: bo, amira} -> {page: bo, amira, acknowledge_within: 10m}
    rounds: 3 -> 5
~ severity SEV1
    acknowledge_within: 5m -> 1m
"""


@pytest.fixture
def changes(rule_set_of):
    return lambda old, new: compare(rule_set_of(old), rule_set_of(new))


def test_diff_tells_every_change_in_words(changes):
    """Old and new by field; rules and tiers by name and number; addresses are not told."""
    *lines, last = [line for line, _ in diff_lines(changes(OLD, NEW))]
    assert lines == EXPECTED.strip().split("\n")
    assert last.startswith("rules: 1 added, 1 removed, 1 changed; ")
    assert not [line for line in lines if any(secret in line for secret in ("s3cret", "t0ken", "0ther", "n3w"))]


def test_diff_finds_nothing_where_only_the_writing_differs(changes):
    """Another order of keys and files, other spellings, a tier written out: the same in effect."""
    old = "rules: [{id: a, match: ['x=\"1\"', 'y=\"2\"'], when: {firing_for: 1h}, declare: SEV3}]"
    new = (
        "# a comment\nrules:\n- declare: SEV3\n  id: a\n  match: 'x=\"1\", y=2'\n  tiers: [{when: {firing_for: 60m}}]\n"
    )
    assert changes(old, new) == ()
    assert diff_lines(()) == [("no difference", "bold")]


def test_diff_tells_another_order_of_rules(changes):
    """Of rules that hold in the same event, the first gives the title."""
    rules = [
        "{id: a, declare: SEV3, match: x=1}",
        "{id: b, declare: SEV3, match: x=1}",
        "{id: c, declare: SEV3, match: x=1}",
    ]
    (change,) = changes(f"rules: [{', '.join(rules)}]", f"rules: [{rules[0]}, {rules[2]}, {rules[1]}]")
    assert (change.name, change.fields) == ("order", (("from place 2", "b, c", "c, b"),))


def test_diff_writes_plain_values(changes):
    """Null stands for what is not there, on either side."""
    found = as_json(changes("rules: []", "rules: [{id: a, match: x=1, declare: SEV3, mode: off}]"))
    assert found[0] | {"fields": []} == {"section": "rules", "name": "a", "change": "added", "fields": []}
    assert {"field": "mode", "old": None, "new": "off"} in found[0]["fields"]


def test_diff_tells_an_slo_once(changes):
    """The rules that are made of it are not told beside it."""
    slo = "slos: [{id: a, service: s, objective: 99, window: 30d, error_ratio: 'a[$window]'}]"
    (change,) = changes(slo, slo.replace("99", "99.9"))
    assert (change.what, change.name, change.fields) == ("slo", "a", (("objective", "99", "99.9"),))
