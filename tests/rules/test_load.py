"""Loading rule files: the whole grammar, every error of all files in one run, and nothing that raises."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.oncall import Channel
from incidents.values import Criterion, Role, Severity
from rules.conditions import All, Any, Count, FiringFor, Match, flatten, name_of
from rules.loading.conditions import SUBJECTS
from rules.loading.rule_set import load_rule_set
from rules.loading.rules import RULE_KEYS
from rules.loading.sections import SECTIONS, SourceFile
from rules.model import Mode, Subject

DATA = Path(__file__).parent / "data"
NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


def read(pattern):
    return [SourceFile(path.name, path.read_text()) for path in sorted(DATA.glob(pattern))]


@pytest.mark.parametrize("path", sorted(DATA.glob("bad.*.yml")), ids=lambda path: path.name)
def test_load_names_every_error_of_a_file(path):
    """Each file of mistakes gives its expected messages, with place, code and advice, and no rule set."""
    loaded = load_rule_set([SourceFile(path.name, path.read_text())], now=NOW)
    assert "".join(f"{problem}\n" for problem in loaded.errors) == path.with_suffix(".txt").read_text()
    assert loaded.rule_set is None


def test_load_warns_of_what_is_legal_and_wrong():
    """Warnings stand beside a rule set that is in order."""
    loaded = load_rule_set([SourceFile("warnings.yml", (DATA / "warnings.yml").read_text())], now=NOW)
    assert "".join(f"{problem}\n" for problem in loaded.problems) == (DATA / "warnings.txt").read_text()
    assert loaded.rule_set is not None


def test_load_takes_the_examples_of_the_contract():
    """The examples of rules and of on-call load together, once what they leave out is there."""
    loaded = load_rule_set(read("contract.*.yml"), now=NOW)
    assert loaded.errors == ()
    assert {problem.code for problem in loaded.warnings} <= {"W305"}
    rules = loaded.rule_set.rules
    assert [rule.id for rule in rules] == ["critical", "data-loss", "error-budget-burn", "took-too-long"]
    assert rules[1].identity == ("service", "dataset")
    assert rules[1].tiers[0].objectives[0].manual
    assert rules[2].criterion is Criterion.SLO_BREACH
    assert [tier.declare for tier in rules[2].tiers] == [Severity.SEV2, Severity.SEV3]
    assert rules[2].tiers[1].objectives[0].measure.slo == "{{ labels.slo }}"
    assert rules[3].tiers[0].page == "backup"


def test_load_reads_on_call_of_the_contract():
    """People, rotations, roles and policies arrive as the values that paging works with."""
    oncall = load_rule_set(read("contract.*.yml"), now=NOW).rule_set.oncall
    assert oncall.people["amira"].channels[0] == oncall.channels["amira-phone"]
    assert oncall.people["amira"].channels[1] == Channel(
        name="amira/2",
        kind="webhook",
        options={"url": "https://pager.example.org/amira", "secret_file": "/run/secrets/amira"},
    )
    rotation = oncall.rotations["commanders"]
    assert (rotation.timezone, rotation.order, rotation.every) == ("Europe/Berlin", ("amira", "bo"), timedelta(weeks=1))
    assert (rotation.weekday, rotation.at, rotation.starting) == (0, time(10, 0), date(2026, 1, 5))
    assert rotation.overrides[0].person == "bo"
    assert oncall.roles[Role.INCIDENT_COMMANDER] == "commanders"
    assert oncall.policies["default"].steps[1].page == ("rotation:commanders+1",)
    assert oncall.policies["default"].steps[2].acknowledge_within is None
    assert oncall.policies["default"].rounds == 3
    assert oncall.severities[Severity.SEV3].acknowledge_within == timedelta(minutes=30)


def test_load_gives_severities_their_shipped_settings(rule_set_of):
    """What a file does not say of a severity stays as shipped."""
    severities = rule_set_of("severities: {SEV1: {update_every: 10m}}").oncall.severities
    assert severities[Severity.SEV1].update_every == timedelta(minutes=10)
    assert severities[Severity.SEV1].acknowledge_within == timedelta(minutes=5)
    assert severities[Severity.SEV1].stakeholders == ("management",)
    assert severities[Severity.SEV4].postmortem == "none"


def test_load_merges_sections_over_files(rule_set_of):
    """Rules follow one another in the order of the files; references cross files in any direction."""
    rule_set = rule_set_of(
        "rules: [{id: a, match: 'x=1', declare: SEV3, page: backup}]\ndefaults: {reopen_within: 5m}",
        "paging: {backup: {steps: [{page: amira}]}}\nrules: [{id: b, match: 'x=1', declare: SEV2}]",
        "people: {amira: {channels: [console]}}\ndefaults: {identity: [cluster]}",
    )
    assert [rule.id for rule in rule_set.rules] == ["a", "b"]
    assert rule_set.rules[0].identity == ("cluster",)
    assert rule_set.rules[1].reopen_within == timedelta(minutes=5)


def test_load_names_both_places_of_a_name_in_two_files(load):
    """The same rule, person or default in two files is an error that names both places."""
    loaded = load(
        "rules: [{id: a, declare: SEV3}]\npeople: {amira: {}}\ndefaults: {reopen_within: 5m}",
        "rules: [{id: a, declare: SEV3}]\npeople: {amira: {}}\ndefaults: {reopen_within: 6m}",
    )
    said = [str(problem) for problem in loaded.errors]
    assert said == [
        "1.yml:1:14: error[E305] the rule 'a' is already defined at 0.yml:1:14 (rename one of them)",
        "1.yml:2:10: error[E305] the person 'amira' is already defined at 0.yml:2:10 (rename one of them)",
        "1.yml:3:12: error[E305] the default 'reopen_within' is already defined at 0.yml:3:12 (rename one of them)",
    ]


def test_load_gives_out_nothing_when_one_file_of_many_is_broken(load):
    """All or nothing: a syntax error in one file keeps the good ones back too."""
    loaded = load("rules: [{id: a, match: 'x=1', declare: SEV3}]", "rules: [")
    assert loaded.rule_set is None
    assert [problem.file for problem in loaded.errors] == ["1.yml"]


def test_load_takes_the_short_form_for_one_tier(rule_set_of):
    """Verbs of the rule itself are a tier; several conditions in one `when` must all hold."""
    (rule,) = rule_set_of(
        """
rules:
- id: a
  match: ['severity="critical"', 'env=prod,team!=""']
  when: {firing_for: 5m, count: {gte: 3, within: 10m}, any: [{match: 'a=1'}, {firing_for: 1h}]}
  declare: SEV2
  assign: [communications]
  title: "{{ labels.service }}"
"""
    ).rules
    (tier,) = rule.tiers
    assert [str(matcher) for matcher in rule.matchers] == ['severity="critical"', 'env="prod"', 'team!=""']
    assert isinstance(tier.condition, All)
    kinds = [type(condition) for condition in tier.condition.conditions]
    assert kinds == [FiringFor, Count, Any]
    assert rule.withins == (timedelta(minutes=10),)
    assert (tier.index, tier.declare, tier.assign) == (1, Severity.SEV2, (Role.COMMUNICATIONS,))
    assert (rule.on, rule.mode, rule.criterion) == (Subject.ALERT, Mode.ENFORCE, Criterion.OTHER)
    assert (rule.file, rule.line) == ("0.yml", 3)


def test_load_lets_tiers_take_from_the_rule_what_they_do_not_say(rule_set_of):
    """A rule's verbs and texts are the defaults of its tiers."""
    (rule,) = rule_set_of(
        """
rules:
- id: a
  match: 'x=1'
  declare: SEV3
  title: of the rule
  tiers:
  - {when: {firing_for: 1h}, declare: SEV1, title: of the tier}
  - {when: {count: {gte: 2, within: 5m}}}
"""
    ).rules
    assert [(tier.index, tier.declare, tier.title) for tier in rule.tiers] == [
        (1, Severity.SEV1, "of the tier"),
        (2, Severity.SEV3, "of the rule"),
    ]


def test_load_keeps_words_that_yaml_once_took_for_booleans(rule_set_of):
    """`mode: off`, and a matcher with `NO`, are text."""
    (rule,) = rule_set_of("rules: [{id: a, match: country=NO, declare: SEV3, mode: off}]").rules
    assert rule.mode is Mode.OFF
    assert rule.matchers[0].value == "NO"


def test_load_knows_that_reopening_never_is_not_silence(rule_set_of):
    """`reopen_within: 0s` is kept."""
    assert rule_set_of("rules: [{id: a, match: x=1, declare: SEV3, reopen_within: 0s}]").rules[
        0
    ].reopen_within == timedelta(0)


def test_load_gives_a_changed_rule_a_new_window(rule_set_of):
    """The window's id moves with id, matchers and identity, and not with severity or title."""

    def window_of(rule):
        return rule_set_of(f"rules: [{rule}]").rules[0].window_id

    base = window_of("{id: a, match: x=1, declare: SEV3}")
    assert base == window_of("{id: a, match: 'x=\"1\"', declare: SEV1, title: other}")
    others = {
        window_of("{id: b, match: x=1, declare: SEV3}"),
        window_of("{id: a, match: x=2, declare: SEV3}"),
        window_of("{id: a, match: x=1, declare: SEV3, identity: [cluster]}"),
    }
    assert len(others | {base}) == 4


def test_load_hashes_names_texts_and_their_order():
    """Equal files give equal hashes of 16 hex digits; any change gives another."""

    def hash_of(*files):
        return load_rule_set([SourceFile(*file) for file in files], now=NOW).rule_set.hash

    base = hash_of(("a", "rules: []"), ("b", ""))
    assert base == hash_of(("a", b"rules: []"), ("b", ""))
    assert len(base) == 16
    assert (
        len({base, hash_of(("a", "rules: [] ")), hash_of(("b", ""), ("a", "rules: []")), hash_of(("ab", "rules: []"))})
        == 4
    )


def test_load_hashes_a_checkout_alike_wherever_it_lies():
    """What CI checked is what is in force on every host: only what lies below the shared directory counts."""

    def hash_of(*names):
        return load_rule_set([SourceFile(name, "rules: []") for name in names], now=NOW).rule_set.hash

    here = hash_of("pack:p", "rules.d/a.yml", "rules.d/sub/b.yml")
    assert here == hash_of("pack:p", "/etc/tocsin/rules.d/a.yml", "/etc/tocsin/rules.d/sub/b.yml")
    assert here != hash_of("pack:p", "rules.d/a.yml", "rules.d/other/b.yml")
    assert hash_of("/a/x.yml") == hash_of("x.yml") != hash_of("y.yml")
    assert hash_of("/a/x.yml", "b/y.yml") != hash_of("/c/x.yml", "b/y.yml")  # nothing shared
    calendars = [load_rule_set([SourceFile(f"{at}/x.yml", ""), SourceFile(f"{at}/o.ics", "")], now=NOW) for at in "ab"]
    assert calendars[0].rule_set.hash != calendars[1].rule_set.hash


def test_load_lets_files_overrule_a_pack(now):
    """What a pack says of a default or a label gives way; its rules stay beside those of the files."""
    files = [
        SourceFile("pack:p", "normalize: {slo: [a], service: [b]}\nrules: [{id: p.x, match: x=1, declare: SEV3}]"),
        SourceFile("own.yml", "normalize: {slo: [own]}\nrules: [{id: x, match: x=1, declare: SEV3}]"),
    ]
    for order in (files, files[::-1]):
        loaded = load_rule_set(order, now=now)
        assert loaded.errors == ()
        assert loaded.rule_set.normalize == {"slo": ("own",), "service": ("b",)}
        assert {rule.id for rule in loaded.rule_set.rules} == {"x", "p.x"}


def test_load_refuses_too_many_rules(load):
    """More rules than the limit are an error that says the limit."""
    item = "{id: r%d, match: x=1, declare: SEV3}"
    texts = ["rules:\n" + "".join(f"- {item % (place * 4000 + each)}\n" for each in range(4000)) for place in range(5)]
    loaded = load(*texts, "rules: [{id: last, match: x=1, declare: SEV3}]")
    assert [str(problem) for problem in loaded.errors] == [
        "5.yml:1:9: error[E315] there are 20,001 rules; at most 20,000 are read"
    ]


def test_load_refuses_a_list_of_too_many_entries(load):
    """What is too much is counted before anything of it is built, and said where it begins."""
    (problem,) = load(many_rules(20_500)).errors
    assert (problem.code, problem.line) == ("E113", 20_002)
    assert "more than 20,000 entries" in problem.message


def test_load_refuses_a_file_of_too_many_values(load):
    """Also where they are spread over many lists."""
    (problem,) = load("rules: [" + ("[" + "1," * 10_000 + "]," + "\n") * 50 + "]").errors
    assert problem.code == "E113"
    assert "more than 250,000 values" in problem.message


def test_load_takes_ten_thousand_rules_in_one_file(load):
    """Rules that a program wrote stand in one file."""
    loaded = load(many_rules(10_000))
    assert not loaded.errors
    assert len(loaded.rule_set.rules) == 10_000


def many_rules(count: int) -> str:
    return "rules:\n" + "".join(f"- {{id: r{each}, match: x=1, declare: SEV3}}\n" for each in range(count))


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_load_reads_each_condition(rule_set_of, name):
    """Every condition of the contract loads on what it may be asked of, and comes back under its name."""
    spelt = {
        "match": "'a=\"b\"'",
        "firing_for": "5m",
        "count": "{gte: 5, within: 10m}",
        "distinct": "{label: region, gte: 2, within: 5m}",
        "flaps": "{gte: 6, within: 20m}",
        "worked_for": "45m",
        "open_for": "1h",
        "unacknowledged_for": "1h",
        "absent_for": "5m",
        "burn_rate": "{slo: s, over: 1h, gte: 14.4}",
        "budget_remaining": "{slo: s, lte: 25%}",
        "query": "{promql: 'sum(x)', gt: 100}",
        "all": "[{match: 'a=\"b\"'}]",
        "any": "[{match: 'a=\"b\"'}]",
        "none": "[{match: 'a=\"b\"'}]",
    }
    slo = "slos: [{id: s, service: a, objective: 99.9, window: 30d, error_ratio: 'a[$window]/b[$window]'}]"
    on = min(SUBJECTS[name])
    (rule,) = rule_set_of(f"{slo}\nrules: [{{id: a, on: {on}, when: {{{name}: {spelt[name]}}}, declare: SEV3}}]").rules
    assert name_of(rule.tiers[0].condition) == name


def test_load_flattens_what_is_nested(rule_set_of):
    """Counts below groups belong to the windows of the rule; outer conditions come first."""
    when = "{none: [{all: [{count: {gte: 2, within: 1h}}, {match: a=1}]}, {count: {gte: 9, within: 5m}}]}"
    (rule,) = rule_set_of(f"rules: [{{id: a, match: x=1, when: {when}, declare: SEV3}}]").rules
    assert rule.withins == (timedelta(minutes=5), timedelta(hours=1))
    assert [name_of(each) for each in flatten(rule.tiers[0].condition)] == ["none", "all", "count", "match", "count"]
    assert isinstance(flatten(rule.tiers[0].condition)[3], Match)


def test_load_refuses_what_is_nested_too_deep(load):
    """Groups in groups end somewhere, with a place."""
    when = "{any: [" * 9 + "{firing_for: 5m}" + "]}" * 9
    (problem,) = load(f"rules: [{{id: a, match: x=1, when: {when}, declare: SEV3}}]").errors
    assert problem.code == "E303"
    assert "8 levels" in problem.message


@given(st.text() | st.binary())
def test_load_never_raises_for_any_text(text):
    """Whatever a file holds, there is a rule set or an error."""
    loaded = load_rule_set([SourceFile("any.yml", text)], now=NOW)
    assert (loaded.rule_set is None) == bool(loaded.errors)


WORDS = st.sampled_from(
    [*SECTIONS, *SUBJECTS, "id", "tiers", "when", "declare", "SEV1", "page", "5m", "25%", "steps", "order", "console"]
)
SCALARS = (
    WORDS | st.text("ab=~\"'{|}:.,+5m ", max_size=12) | st.integers(-3, 3) | st.booleans() | st.none() | st.floats()
)


def trees(leaves):
    """Lists and mappings of words and numbers in one another, with so many of them at most."""
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
        max_leaves=leaves,
    )


def spell(tree):
    """Write a tree as flow YAML, with its own quoting, so that any value can stand anywhere."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {spell(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(spell, tree)) + "]"
    if isinstance(tree, str):
        return "'" + tree.replace("'", "''") + "'"
    return {None: "", True: "true", False: "false"}.get(tree, str(tree))


@given(st.dictionaries(st.sampled_from(SECTIONS), trees(25), max_size=6))
def test_load_never_raises_for_any_tree(tree):
    """Sections of any shape are judged, not stumbled over."""
    loaded = load_rule_set([SourceFile("any.yml", spell(tree))], now=NOW)
    assert (loaded.rule_set is None) == bool(loaded.errors)


RULES = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b", "c d", 1])},
    optional=dict.fromkeys(RULE_KEYS - {"id"}, trees(8)),
)


@given(st.lists(RULES, max_size=3))
def test_load_never_raises_for_any_rule(rules):
    """Rules with keys of any shape are judged, not stumbled over."""
    loaded = load_rule_set([SourceFile("any.yml", spell({"rules": rules}))], now=NOW)
    assert (loaded.rule_set is None) == bool(loaded.errors)


def test_load_lets_a_rule_take_the_place_of_a_packs_rule(now):
    """A rule of a file replaces the pack's rule with the same id, wherever the files stand."""
    files = [
        SourceFile("pack:p", "rules: [{id: p.x, match: x=1, declare: SEV3}, {id: p.y, match: x=1, declare: SEV3}]"),
        SourceFile("own.yml", "rules: [{id: p.x, match: x=1, declare: SEV1}]"),
    ]
    for order in (files, files[::-1]):
        loaded = load_rule_set(order, now=now)
        assert loaded.problems == ()
        assert {rule.id: rule.tiers[0].declare for rule in loaded.rule_set.rules} == {"p.x": "SEV1", "p.y": "SEV3"}


def test_load_lets_packs_agree(now):
    """Two packs may say the same of a key, for each of them can stand alone; two of their rules never share an id."""
    text = "normalize: {slo: [a]}\nrules: [{id: p.x, match: x=1, declare: SEV3}]"
    loaded = load_rule_set([SourceFile("pack:p", text), SourceFile("pack:q", text)], now=now)
    assert [problem.code for problem in loaded.errors] == ["E305"]
