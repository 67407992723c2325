"""Warnings of what is legal and wrong: rules and tiers that never hold or add nothing, and names without a use."""

from datetime import timedelta

import pytest

from rules.check import check
from rules.conditions import All, Any, Count, FiringFor, Match, None_
from rules.lint.conditions import implies, never
from rules.lint.lint import lint
from rules.lint.ranges import impossible, never_matches
from rules.lint.unmatched import unmatched
from rules.loading.files import PACKS_DIR, TEST_NAMES, pack_names
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.matchers import parse_matchers
from rules.starter_files import STARTER_DIR

MINUTE = timedelta(minutes=1)


@pytest.fixture
def warned(now):
    def of(text, *more):
        files = [SourceFile("f.yml", text), *more]
        return [(each.code, each.line, each.column) for each in lint(files, load_rule_set(files, now=now).rule_set)]

    return of


@pytest.fixture
def warnings(now):
    """Check a file; its warnings as text."""
    return lambda text: [str(each) for each in check([SourceFile("f.yml", text)], now).problems]


@pytest.mark.parametrize("pattern", ["a^b", "a$b", r"[^\s\S]", "$a"])
def test_lint_knows_regular_expressions_that_match_nothing(pattern):
    """An anchor in the middle, or a class without a character."""
    assert never_matches(pattern)


@pytest.mark.parametrize("pattern", ["", "^a$", "a|b", "(?i)a", ".*", "^", "$", "[a-z]+", "(a|b)+c"])
def test_lint_leaves_other_expressions_alone(pattern):
    """What can match is not warned of."""
    assert not never_matches(pattern)


@pytest.mark.parametrize(
    "text",
    [
        'x="a",x="b"',
        'x="a",x!="a"',
        'x="a",x=~"b.*"',
        'x=~"a.*",x=~"b.*"',
        'x=~"a|b",x!~"a|b"',
        'x!~".*"',
        'x="",x!=""',
    ],
)
def test_lint_knows_matchers_that_exclude_each_other(text):
    """On one label, by value or by what an expression can begin with."""
    assert impossible(parse_matchers(text))


@pytest.mark.parametrize(
    "text", ['x="a",y="b"', 'x="a",x=~"a|b"', 'x=~"a+",x=~"ab*"', 'x!="",x=~".*"', 'x!="a",x!="b"']
)
def test_lint_leaves_matchers_alone_that_can_hold(text):
    """Nothing is said where a value is left."""
    assert impossible(parse_matchers(text)) == ""


def match(text):
    return Match(parse_matchers(text))


@pytest.mark.parametrize(
    ("given", "wanted", "verdict"),
    [
        (FiringFor(5 * MINUTE), FiringFor(3 * MINUTE), True),
        (FiringFor(3 * MINUTE), FiringFor(5 * MINUTE), False),
        (Count(5, MINUTE), Count(3, 2 * MINUTE), True),
        (Count(5, 2 * MINUTE), Count(3, MINUTE), False),
        (match('a="b"'), match('a=~"b|c"'), True),
        (match('a=~"b|c"'), match('a="b"'), False),
        (match('a="b"'), match('a!="c"'), True),
        (All((match('a="b"'), FiringFor(2 * MINUTE))), All((FiringFor(MINUTE), match('a!=""'))), True),
        (Any((FiringFor(3 * MINUTE), FiringFor(2 * MINUTE))), FiringFor(MINUTE), True),
        (Any((FiringFor(3 * MINUTE), match('a="b"'))), FiringFor(MINUTE), False),
        (FiringFor(3 * MINUTE), Any((FiringFor(MINUTE), match('a="b"'))), True),
        (None_((FiringFor(MINUTE),)), None_((FiringFor(2 * MINUTE),)), True),
        (None_((FiringFor(2 * MINUTE),)), None_((FiringFor(MINUTE),)), False),
    ],
)
def test_lint_knows_which_condition_follows_from_which(given, wanted, verdict):
    """Longer, more and narrower imply shorter, fewer and wider."""
    assert implies(given, wanted) is verdict


def test_lint_knows_conditions_that_never_hold():
    """A match against the rule's own, an `any` without a way, a `none` of what is asked."""
    given = parse_matchers('a="b"')
    assert never(match('a="c"'), given)
    assert never(Any((match('a="c"'), match('a="d"'))), given)
    assert never(None_((match('a=~"b|c"'),)), given)
    assert never(Any((match('a="c"'), FiringFor(MINUTE))), given) == ""
    assert never(None_((FiringFor(MINUTE),)), given) == ""
    assert never(None, given) == ""


TIERS = """
rules:
- id: r
  match: 'severity="critical"'
  tiers:
  - {when: {firing_for: 5m}, declare: SEV3}
  - {when: {firing_for: 10m}, declare: SEV2}
  - {when: {match: 'severity="warning"'}, declare: SEV3}
  - {when: {count: {gte: 3, within: 5m}}, declare: SEV1}
"""


def test_lint_warns_of_tiers_in_a_wrong_order(warned):
    """One that follows from a tier above, one against the rule's matchers, one that is graver than one above."""
    assert warned(TIERS) == [("W302", 7, 5), ("W322", 8, 5), ("W323", 9, 5)]


def test_lint_takes_tiers_that_exclude_each_other_in_any_order(warned):
    """Where both cannot hold at once, their order means nothing."""
    tiers = """tiers: [{when: {match: 'b="1"'}, declare: SEV3}, {when: {match: 'b="2"'}, declare: SEV1}]"""
    assert warned(f"rules: [{{id: r, match: 'a=\"b\"', {tiers}}}]") == []


def test_lint_warns_of_rules_that_never_hold(warned):
    """The place is that of the matchers."""
    assert warned("rules:\n- id: r\n  match: ['x=\"a\"', 'x=\"b\"']\n  declare: SEV3\n") == [("W322", 3, 10)]


def test_lint_warns_of_rules_that_add_nothing(warned):
    """Narrower, later and no graver than another of the same criterion and identity."""
    rule = "- {id: %s, match: 'a=\"b\"%s', declare: %s%s}\n"
    wide = "rules:\n" + rule % ("wide", "", "SEV2", "")
    assert warned(wide + rule % ("narrow", ', c="d"', "SEV3", "")) == [("W321", 3, 3)]
    assert warned(wide + rule % ("graver", ', c="d"', "SEV1", "")) == []
    assert warned(wide + rule % ("elsewhere", ', c="d"', "SEV3", ", identity: [host]")) == []
    assert warned(wide + rule % ("paging", ', c="d"', "SEV3", ", assign: [communications]")) == []


def test_lint_warns_of_labels_that_normalize_replaces(warned):
    """A matcher on one of many names for the same misses the others; one whose own value is not taken surprises."""
    text = "normalize: {service: [service, app], team: [owner]}\nrules:\n- {id: r, match: ['%s'], declare: SEV3}\n"
    assert warned(text % 'app="x"') == [("W324", 3, 19)]
    assert warned(text % 'team="x"') == [("W324", 3, 19)]
    assert warned(text % 'service="x"') == []
    assert warned(text % 'app=""') == [("W324", 3, 19)]
    assert warned(text % 'app!="x"') == []


def test_lint_warns_of_ids_that_differ_in_case(warned):
    """They look like one on a dashboard."""
    text = "rules:\n- {id: a, match: 'x=\"1\"', declare: SEV3}\n- {id: A, match: 'x=\"2\"', declare: SEV3}\n"
    assert warned(text) == [("W325", 3, 8)]


def test_lint_warns_of_storms_that_absorb_each_other(warned):
    """Which of two storms takes the other in would depend on chance."""
    rule = "- {id: %s, match: '%s', identity: [%s], declare: SEV2, absorb: {for: 5m}}\n"
    first = "rules:\n" + rule % ("a", 'a="1"', "cluster")
    assert [code for code, *_ in warned(first + rule % ("b", 'b="1"', "region"))] == ["W326"]
    assert warned(first + rule % ("b", 'a="2"', "region")) == []


def test_lint_warns_of_names_that_nobody_uses(load):
    """People, channels, rotations and policies; `default` is used by itself."""
    text = "people: {a: {channels: [console]}}\nchannels: {c: console}\nrotations: {r: {order: [a]}}\n"
    policy = "paging: {%s: {steps: [{page: a}]}}"
    assert [str(each)[:50] for each in load(text + policy % "p").warnings if each.code == "W327"] == [
        "0.yml:2:12: warning[W327] nothing uses the channel",
        "0.yml:3:13: warning[W327] nothing uses the rotatio",
        "0.yml:4:10: warning[W327] nothing uses the paging ",
    ]
    assert [each for each in load(policy % "default").warnings if "policy" in each.message] == []


UNMATCHED = """
normalize: {service: [app]}
rules:
- {id: hit, match: 'service="checkout"', declare: SEV3}
- {id: missed, match: 'severty="page"', declare: SEV3}
- {id: resting, match: 'a="b"', declare: SEV3, mode: off}
- {id: shadowed, match: 'a="c"', declare: SEV3, mode: shadow}
"""


def test_lint_warns_of_rules_that_match_nothing_of_the_past(now):
    """Labels are normalized first; a rule that rests is left out, and where nothing was seen nothing is said."""
    files = [SourceFile("f.yml", UNMATCHED)]
    rule_set = load_rule_set(files, now=now).rule_set
    found = unmatched(files, rule_set, [{"app": "checkout"}, {"severity": "page"}])
    assert [(each.code, each.line, each.column) for each in found] == [("W328", 5, 23), ("W328", 7, 25)]
    assert found[0].message == "none of the 2 alerts in the journal matches this rule"
    assert unmatched(files, rule_set, []) == []


def test_lint_stops_reading_when_every_rule_has_matched(now):
    """A long past is not read to its end without need."""
    files = [SourceFile("f.yml", "rules: [{id: r, match: 'a=\"b\"', declare: SEV3}]")]
    seen = iter([{"a": "c"}, {"a": "b"}, {"a": "d"}])
    assert unmatched(files, load_rule_set(files, now=now).rule_set, seen) == []
    assert next(seen) == {"a": "d"}


def test_lint_says_nothing_of_packs(now):
    """Who checks cannot change what is shipped."""
    files = [SourceFile("pack:p", "rules: [{id: r, match: ['x=\"a\"', 'x=\"b\"'], declare: SEV3}]")]
    assert check(files, now).warnings == 0


@pytest.mark.parametrize("name", [*pack_names(), None])
def test_lint_finds_nothing_in_what_we_ship(now, name):
    """Each pack, and the starter, read as files of one's own."""
    paths = [PACKS_DIR / f"{name}.yml"] if name else sorted((STARTER_DIR / "rules.d").glob("*.yml"))
    files = [SourceFile(path.name, path.read_bytes()) for path in paths if not path.name.endswith(TEST_NAMES)]
    assert lint(files, load_rule_set(files, now=now).rule_set) == []


@pytest.mark.parametrize(
    ("matcher", "said"),
    [
        ("a='critical'", "the single quotes belong to the value: a would have to be 'critical' (write a=\"critical\")"),
        (
            'a="prod|live"',
            "= compares with the text 'prod|live' itself (write a=~\"prod|live\" for a",
        ),
        ('a!="dev.*"', "!= compares with the text 'dev.*' itself (write a!~\"dev.*\" for a regular expression)"),
        ('a=~"^prod"', "'^prod' matches no more than without (write \"prod.*\" for everything that begins so)"),
        ('a=~"eu$"', "'eu$' matches no more than without (write \".*eu\" for everything that ends so)"),
        ('a=~"^prod$|^live$"', ""),
        ('a=~"^(prod|live).*"', ""),
        ('a=~".*eu$"', ""),
        ('a="O\'Brien"', ""),
    ],
)
def test_lint_warns_of_matchers_that_mean_something_else(warnings, matcher, said):
    """What other tools read in another way is said, with what to write; what is meant is left alone."""
    quoted = matcher.replace("'", "''")
    found = warnings(f"rules: [{{id: x, match: '{quoted}', declare: SEV3}}]")
    assert [said in each for each in found if "W333" in each] == ([True] if said else [])


def test_lint_warns_of_an_objective_below_one_percent(warnings):
    """Who writes 0.999 means 99.9: anything but."""
    slo = "slos: [{id: a, service: a, objective: 0.999, window: 30d, error_ratio: 'a[$window]'}]"
    assert any("W334" in each and "(write 99.9)" in each for each in warnings(slo))


@pytest.mark.parametrize(
    "matcher",
    [
        "severity=~crit*",
        "service=checkout*",
        'service=~"checkout,refunds"',
        'service=~"checkout | refunds"',
        'service=~"checkout|"',
        'service=" checkout"',
        'labels.service="checkout"',
        'service=~".*"',
        'service="{{ labels.job }}"',
    ],
)
def test_lint_warns_of_matchers_that_say_something_else(warned, matcher):
    """Globs, lists with commas or spaces, a bar too many, and what holds for everything."""
    text = f"rules: [{{id: r, match: '{matcher}', declare: SEV3}}]\n"
    assert [code for code, _, _ in warned(text)] == ["W333"]


@pytest.mark.parametrize(
    "matcher",
    ['x=~"a{1,3}"', 'x=~"crit.*"', 'x=~"(a|b)?"', 'x=~"a|b"', 'x="a,b"', 'x=~"New York|Rome"', 'x!=""', 'x=~".+"'],
)
def test_lint_leaves_matchers_alone_that_are_meant(warned, matcher):
    """What is commonly written is no cause for a warning."""
    assert warned(f"rules: [{{id: r, match: '{matcher}', declare: SEV3}}]\n") == []


def one_rule(text):
    return f"rules:\n- {{id: r, {text}, declare: SEV3}}\n"


HEARTBEAT = "heartbeats: [{id: eu, match: 'alertname=\"Watchdog\"', expect_every: 1m}]\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (one_rule("""match: 'alertname="Watchdog"'"""), "W322"),
        (one_rule("""on: incident, match: 'severity="critical"'"""), "W322"),
        (one_rule("""on: incident, match: 'status="open"'"""), "W322"),
        (one_rule("""on: incident, match: 'team="payments"'"""), "W322"),
        (one_rule("""on: incident, match: 'serverity="SEV2"'"""), "W335"),
        (one_rule("""on: action, match: 'type="rollback"'"""), "W335"),
        (HEARTBEAT + one_rule("""on: heartbeat, match: 'heartbeat="us"', when: {absent_for: 5m}"""), "W322"),
        (HEARTBEAT + one_rule("on: heartbeat, when: {absent_for: 1m}"), "W336"),
        (one_rule("""match: 'a="b"', when: {count: {gte: 1, within: 5m}}"""), "W338"),
        (one_rule("""match: 'a="b"', identity: [a], when: {distinct: {label: a, gte: 2, within: 5m}}"""), "W322"),
        (one_rule("""match: 'a="b"', when: {distinct: {label: a, gte: 2, within: 5m}}"""), "W322"),
    ],
)
def test_lint_holds_rules_against_what_there_is(warned, text, code):
    """Words that no incident has, signals that never come, and counts that cannot be reached or missed."""
    assert [found for found, _, _ in warned(text)] == [code]


@pytest.mark.parametrize(
    "text",
    [
        one_rule("""on: incident, match: ['severity=~"SEV1|SEV2"', 'status!="mitigated"', 'service="db"']"""),
        one_rule("""on: incident, match: 'team="default"'"""),
        one_rule("""on: action, match: ['kind="rollback"', 'environment="prod"']"""),
        HEARTBEAT + one_rule("""on: heartbeat, match: 'heartbeat=~"eu|watchdog-us"', when: {absent_for: 5m}"""),
        one_rule("""match: 'a=~"b|c"', when: {distinct: {label: a, gte: 2, within: 5m}}"""),
    ],
)
def test_lint_leaves_rules_alone_that_can_hold(warned, text):
    """What there is may be asked for, and labels of one's own too."""
    assert warned(text) == []


def test_lint_knows_which_burn_rate_nothing_reaches(warned):
    """With 99 % the budget burns a hundred times as fast as it may when everything fails."""
    slo = "slos: [{id: s, service: s, objective: 99, window: 30d, error_ratio: 'sum(e:ratio[$window])'}]\n"
    ask = "match: 'a=\"b\"', when: {{burn_rate: {{slo: s, over: 1h, gte: {}}}}}"
    assert warned(slo + one_rule(ask.format(100))) == []
    assert [code for code, _, _ in warned(slo + one_rule(ask.format(101)))] == ["W322"]


TEAMS = """
teams:
  payments: {match: 'service=~"checkout|refunds"'}
  checkout: {match: ['service="checkout"', 'region="eu"']}
  nobody: {match: ['service="a"', 'service="b"']}
  storage: {match: 'service="db"'}
  rest: {match: 'service=~".*"'}
  late: {match: 'service="cache"'}
rules: [{id: r, match: 'a="b"', declare: SEV3}]
"""


def test_lint_warns_of_teams_that_are_never_chosen(warned):
    """A wider team above, matchers that exclude each other, and whatever comes after the team that takes all."""
    assert [(code, line) for code, line, _ in warned(TEAMS)] == [("W337", 4), ("W337", 5), ("W337", 8)]


def test_lint_warns_of_a_label_that_differs_in_case(warned):
    """One rule writes a label otherwise than the others do."""
    rules = "".join(f"- {{id: r{n}, match: 'severity=\"{n}\"', declare: SEV3}}\n" for n in range(2))
    other = "- {id: other, match: 'Severity=\"x\"', identity: [Service], declare: SEV3}\n"
    assert sorted(warned("rules:\n" + rules + other)) == [("W325", 4, 22), ("W325", 4, 48)]
