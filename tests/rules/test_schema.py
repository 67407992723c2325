"""The published JSON Schema and the loader agree: on every key, on every kind of value, on what is right and wrong."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
from documents import ROOT, blocks

from rules.loading.files import TEST_NAMES
from rules.loading.nodes import Kind, Node
from rules.loading.yaml import read_yaml
from rules.schema import render_schema
from rules.shapes.file import SHAPES
from rules.starter_files import STARTER_DIR


def is_openslo(block) -> bool:
    return block.text.startswith("apiVersion: openslo")


DATA = Path(__file__).parent / "data"
VALIDATOR = jsonschema_rs.Draft7Validator(json.loads(render_schema()))
SHIPPED = [*(ROOT / "rules" / "packs").glob("*.yml"), *(STARTER_DIR / "rules.d").glob("*.yml")]
RIGHT = sorted([*(path for path in SHIPPED if not path.name.endswith(TEST_NAMES)), *DATA.glob("[cw]*.yml")])
WRONG = sorted(DATA.glob("bad.*.yml"))
EXAMPLES = [
    block for block in blocks() if block.language == "yaml" and block.words[:1] == ("rules",) and not is_openslo(block)
]


# For each mapping a file in which it stands; %s is what it holds.
PLACES = {
    "file": "%s",
    "severities": "severities: {%s}",
    "severity": "severities: {SEV1: {%s}}",
    "defaults": "defaults: {%s}",
    "slo": "slos: [{%s}]",
    "sla": "slos: [{sla: {%s}}]",
    "customers": "slos: [{customers: {%s}}]",
    "heartbeat": "heartbeats: [{%s}]",
    "audience": "audiences: {a: {%s}}",
    "rule": "rules: [{%s}]",
    "tier": "rules: [{tiers: [{%s}]}]",
    "when": "rules: [{when: {%s}}]",
    "count": "rules: [{when: {count: {%s}}}]",
    "distinct": "rules: [{when: {distinct: {%s}}}]",
    "flaps": "rules: [{when: {flaps: {%s}}}]",
    "burn_rate": "rules: [{when: {burn_rate: {%s}}}]",
    "budget_remaining": "rules: [{when: {budget_remaining: {%s}}}]",
    "query": "rules: [{when: {query: {%s}}}]",
    "objective": "rules: [{objectives: [{%s}]}]",
    "absorb": "rules: [{absorb: {%s}}]",
    "person": "people: {a: {%s}}",
    "channel": "channels: {a: {%s}}",
    "channel_webhook": "channels: {a: {webhook: {%s}}}",
    "channel_pagerduty": "channels: {a: {pagerduty: {%s}}}",
    "channel_slack": "channels: {a: {slack: {%s}}}",
    "channel_apprise": "channels: {a: {apprise: {%s}}}",
    "channel_console": "channels: {a: {console: {%s}}}",
    "rotation": "rotations: {a: {%s}}",
    "calendar": "rotations: {a: {calendar: {%s}}}",
    "layer": "rotations: {a: {layers: [{%s}]}}",
    "member": "rotations: {a: {order: [{%s}]}}",
    "hours": "rotations: {a: {order: [a], hours: [{%s}]}}",
    "handoff": "rotations: {a: {handoff: {%s}}}",
    "override": "rotations: {a: {overrides: [{%s}]}}",
    "roles": "roles: {%s}",
    "held_by": "roles: {engineer: {%s}}",
    "team": "teams: {a: {%s}}",
    "policy": "paging: {a: {%s}}",
    "policy_hours": "paging: {a: {steps: [{page: incident_commander}], hours: {%s}}}",
    "step": "paging: {a: {steps: [{%s}]}}",
    "maintenance": "maintenance: [{%s}]",
    "weekly": "maintenance: [{weekly: {%s}}]",
}
VALUES = [
    "0", "1", "-1", "1.5", "200000000", "true", "text", '""', "'5m'", "5x", "'10:00'", "25:99", "2026-01-05",
    "150%", "25%", "'2026-01-05T10:00:00Z'", "'2026-01-05T10:00:00'", "'a=\"b\"'", "SEV1", "'{{ labels.a }}'",
    "'{{ a() }}'", "'{% a %}'", "[]", "[1]", "[text]", '[""]', "['a=\"b\"']", "[[]]", "[{}]", "{}",
    "{zzzzz: 1}", "[{zzzzz: 1}]", "engineer", "[engineer]",
]  # fmt: skip
# Something right for what a mapping cannot be without.
FILLED = {
    "id": "a", "service": "a", "objective": "99", "window": "1d", "error_ratio": "'a[$window]'",
    "match": "'a=\"b\"'", "expect_every": "1m", "gte": "1", "within": "1h", "label": "a",
    "slo": "'{{ labels.a }}'", "over": "1h", "promql": "a", "for": "1h", "url": "'http://a'", "order": "[a]",
    "from": "'2026-01-05T10:00:00Z'", "until": "'2026-01-06T10:00:00Z'", "person": "a", "rotation": "a",
    "steps": "[]", "page": "a", "weekdays": "[sun]", "manual": "true", "declare": "SEV1",
    "channels": "[]", "webhook": "{url: 'http://a'}", "routing_key": "a", "webhook_url": "'http://a'",
}  # fmt: skip
DEFINED = "people: {a: {channels: [console]}}"
# What no schema of one file can know: names, what is unique, queries, regular expressions, times and their bounds.
BEYOND = {"E302", "E305", "E309", "E310", "E312", "E314", "E401", "E403", "E404", "E406"}


def plain(node: Node) -> object:
    if node.kind is Kind.MAPPING:
        return {key: plain(value) for key, value in node.entries.items()}
    return [plain(item) for item in node.items] if node.kind is Kind.LIST else node.value


def lines_refused(text: str | bytes) -> set[int]:
    """Return the lines of a file of which the schema says something."""
    root = read_yaml(text, "f.yml", [])
    found: set[int] = set()
    for error in VALIDATOR.iter_errors(plain(root)):
        node, above = root, root
        for part in error.instance_path:
            node, above = (node.entries[part] if isinstance(part, str) else node.items[part]), node
        unexpected = getattr(error.kind, "unexpected", [])
        found |= {node.keys[key].line for key in unexpected} or {node.line, *_keys_of(above, node)}
    return found


def _keys_of(above: Node, node: Node) -> set[int]:
    """Return the line of the key that a value stands under."""
    return {above.keys[key].line for key, value in above.entries.items() if value is node}


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.name)
def test_schema_takes_what_we_ship(path):
    """The packs, the starter and the contract's own examples are valid."""
    assert lines_refused(path.read_bytes()) == set()


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.place)
def test_schema_takes_the_examples_of_the_documents(block):
    """So is every example of rules in the documents."""
    assert lines_refused(block.text) == set()


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.name)
def test_schema_refuses_what_the_loader_refuses(path, load):
    """Each wrong line is wrong for both, but for what needs more than the form of one file."""
    found = [problem for problem in load(path.read_bytes()).errors if problem.code[:2] != "E1"]
    refused = lines_refused(path.read_bytes())
    missed = [each for each in found if each.code not in BEYOND and not {each.line, each.line + 1} & refused]
    # Bounds of durations, quotes inside of matchers; and what the schema says of the mapping, not of the line.
    told = [
        each for each in missed if not re.search("must lie between|at least 1s|quote is never closed", each.message)
    ]
    assert [str(each) for each in told if not (each.code in {"E304", "E311"} and refused)] == []


def test_schema_has_a_place_for_every_mapping():
    """The tables below cover all of the language."""
    assert set(PLACES) == set(SHAPES)


@pytest.mark.parametrize("name", PLACES)
def test_schema_and_loader_know_the_same_keys(name, load):
    """What the loader offers when a key is unknown is what the schema lists."""
    problem = next(each for each in load(PLACES[name] % "zzzzz: 1").errors if "'zzzzz'" in each.message)
    offered = re.split(", | known keys: ", problem.hint.removeprefix("known keys: ").removeprefix("kinds: "))
    assert sorted(offered) == sorted(SHAPES[name].keys) if offered != [""] else not SHAPES[name].keys
    assert lines_refused(PLACES[name] % "zzzzz: 1") != set()
    for key in SHAPES[name].keys:
        assert not [each for each in load(PLACES[name] % f"{key}: ").errors if each.code == "E202"]


@pytest.mark.parametrize("name", PLACES)
def test_schema_and_loader_agree_on_values(name, load):
    """Of each key and each kind of value both say the same, where it is a matter of form."""
    wrong = []
    for key in SHAPES[name].keys:
        needs = [each for each in SHAPES[name].needs if each != key]
        needs += [each for each in ("from", "until") if name == "maintenance" and key in {"from", "until"} - {each}]
        needs += [] if key in SHAPES[name].one_of else SHAPES[name].one_of[:1]
        rest = "".join(f"{each}: {FILLED[each]}, " for each in needs)
        before = PLACES[name].partition("%s")[0] + f"{rest}{key}: "
        start = len(before) - len(f"{key}: ")
        for value in VALUES:
            text = PLACES[name] % f"{rest}{key}: {value}"
            errors = {
                each.code for each in load(text, DEFINED).errors if start < each.column <= len(before) + len(value) + 1
            }
            if errors & BEYOND or (errors == {"E206"} and value in {"0", "'5m'"}):
                continue  # more than form; bounds of durations are no matter of form either
            path = list(_path_to(read_yaml(text, "", []), len(before) + 1))
            refuses = any(
                error.instance_path[: len(path)] == path
                for error in VALIDATOR.iter_errors(plain(read_yaml(text, "", [])))
            )
            if refuses != bool(errors):
                wrong.append((f"{key}: {value}", sorted(errors), "schema refuses" if refuses else "schema takes"))
    assert wrong == []


def _path_to(node: Node, column: int) -> tuple[str | int, ...]:
    """Return the path to the outermost value that begins at a column."""
    children = node.entries.items() if node.kind is Kind.MAPPING else enumerate(node.items)
    for key, child in children:
        if child.column == column:
            return (key,)
        if below := _path_to(child, column):
            return (key, *below)
    return ()


def test_schema_is_published_as_it_is():
    """The copy in the documents is the one that the command prints."""
    assert (ROOT / "docs" / "rules.schema.json").read_text(encoding="utf-8") == render_schema()


def test_schema_explains_every_key():
    """An editor shows a sentence for each key."""
    assert [
        f"{name}.{key}" for name, own in SHAPES.items() for key, form in own.keys.items() if not form["description"]
    ] == []
