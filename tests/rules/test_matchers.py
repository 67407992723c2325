"""Matchers: Alertmanager's syntax and meaning."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.matchers import (
    BadMatcher,
    BadRegex,
    Matcher,
    Op,
    RegexSet,
    literals_of,
    matches,
    parse_matchers,
)
from rules.matchers import test_of as accepts_of

EQUAL, NOT_EQUAL, MATCHES, NOT_MATCHES = Op


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity="page"', [Matcher("severity", EQUAL, "page")]),
        ('severity!="page"', [Matcher("severity", NOT_EQUAL, "page")]),
        ('severity=~"a|b"', [Matcher("severity", MATCHES, "a|b")]),
        ('severity!~"a.*"', [Matcher("severity", NOT_MATCHES, "a.*")]),
        ("severity=page", [Matcher("severity", EQUAL, "page")]),
        ("  severity  =  page  ", [Matcher("severity", EQUAL, "page")]),
        ("a=b c", [Matcher("a", EQUAL, "b c")]),
        ("a=", [Matcher("a", EQUAL, "")]),
        ('a=""', [Matcher("a", EQUAL, "")]),
        ('{a="b",c!="d"}', [Matcher("a", EQUAL, "b"), Matcher("c", NOT_EQUAL, "d")]),
        ('{a="b",}', [Matcher("a", EQUAL, "b")]),
        ('a="b", c=~"d,e"', [Matcher("a", EQUAL, "b"), Matcher("c", MATCHES, "d,e")]),
        ('"a label"="b"', [Matcher("a label", EQUAL, "b")]),
        ('ns/label.name="b"', [Matcher("ns/label.name", EQUAL, "b")]),
        ('größe="ja"', [Matcher("größe", EQUAL, "ja")]),
        (r'a="x\"y\\z\n"', [Matcher("a", EQUAL, 'x"y\\z\n')]),
        (r'a=~"x\.y\d"', [Matcher("a", MATCHES, r"x\.y\d")]),
        ('a="{b}"', [Matcher("a", EQUAL, "{b}")]),
    ],
)
def test_matchers_are_read_as_alertmanager_reads_them(text, expected):
    """Quoted or bare, in braces or not, with the classic escapes."""
    assert list(parse_matchers(text)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no matcher is there"),
        ("{}", "no matcher is there"),
        ("severity", "expected =, !=, =~ or !~ after 'severity'"),
        ('="b"', "expected the name of a label @0"),
        ('a="b', "the double quote is never closed @2"),
        ('{a="b"', 'the "{" is never closed'),
        ('a="b"}', "expected a comma"),
        ('{a="b"} c', "nothing may follow the closing brace"),
        ('a="b" c="d"', "expected a comma between two matchers @6"),
        ('a == "b"', "== is no comparison @3"),
        ('a=b"c', "must be in double quotes"),
        ("a==b", None),
        ('""="b"', "expected the name of a label"),
        (',a="b"', "expected the name of a label"),
        ("a=~'x'", None),
    ],
)
def test_matchers_that_are_none_are_refused_with_the_place(text, said):
    """What is wrong and at which character; two of these are legal in the classic syntax."""
    if said is None:
        assert len(parse_matchers(text)) == 1
        return
    with pytest.raises(BadMatcher) as raised:
        parse_matchers(text)
    said, _, place = said.partition(" @")
    assert said in str(raised.value)
    assert not place or raised.value.at == int(place)


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1", "a{1,2000}", "x" * 513, "\ud800"])
def test_matchers_refuse_what_re2_refuses(pattern):
    """Look-around, back references, repeats without end and long patterns are errors, and print nothing."""
    with pytest.raises(BadRegex):
        parse_matchers(f'a=~"{pattern}"')


def test_matchers_of_a_pattern_that_eats_other_engines_are_quick():
    """The classic that takes a backtracking engine for ever takes RE2 no time."""
    (matcher,) = parse_matchers('a=~"(a+)+$"')
    assert not matches([matcher], {"a": "a" * 100_000 + "!"})


SEMANTICS = [
    ('a="b"', {"a": "b"}, True),
    ('a="b"', {"a": "bb"}, False),
    ('a="b"', {}, False),
    ('a=""', {}, True),
    ('a=""', {"a": "b"}, False),
    ('a!=""', {}, False),
    ('a!=""', {"a": "b"}, True),
    ('a!="b"', {}, True),
    ('a!="b"', {"a": "b"}, False),
    ('a=~"b"', {"a": "abc"}, False),
    ('a=~"b.*"', {"a": "bcd"}, True),
    ('a=~".*"', {}, True),
    ('a=~".+"', {}, False),
    ('a=~"b|c"', {"a": "c"}, True),
    ('a=~"b|c"', {"a": "cc"}, False),
    ('a=~"b|"', {}, True),
    ('a=~""', {}, True),
    ('a!~"b|c"', {"a": "c"}, False),
    ('a!~"b|c"', {}, True),
    ('a!~".+"', {}, True),
    (r'a=~"1\.2"', {"a": "1.2"}, True),
    (r'a=~"1\.2"', {"a": "1x2"}, False),
    ('a=~"^b$"', {"a": "b"}, True),
    ('a=~"(?i)B"', {"a": "b"}, True),
    ('a="b",c!="d"', {"a": "b"}, True),
    ('a="b",c!="d"', {"a": "b", "c": "d"}, False),
]


@pytest.mark.parametrize(("text", "labels", "expected"), SEMANTICS)
def test_matchers_hold_as_alertmanager_says(text, labels, expected):
    """Anchored at both ends, and a missing label equals the empty text."""
    assert matches(parse_matchers(text), labels) is expected


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed")
def test_matchers_agree_with_amtool(tmp_path: Path):
    """Alertmanager's own tool routes each label set of the table as we do, all in one routing tree."""
    routes = "".join(
        f"  - matchers: [{' , '.join(_quoted(part) for part in map(str, parse_matchers(text)))}]\n"
        f"    receiver: r{place}\n    continue: true\n"
        for place, (text, _labels, _expected) in enumerate(SEMANTICS)
    )
    receivers = "".join(f"- name: r{place}\n" for place in range(len(SEMANTICS)))
    config = tmp_path / "alertmanager.yml"
    config.write_text(f"route:\n  receiver: none\n  routes:\n{routes}receivers:\n- name: none\n{receivers}")
    for labels in {tuple(sorted(labels.items())) for _text, labels, _expected in SEMANTICS}:
        arguments = [f"{name}={value}" for name, value in labels] or ["unrelated=x"]
        done = subprocess.run(
            ["amtool", "config", "routes", "test", f"--config.file={config}", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        theirs = set(done.stdout.strip().split(",")) - {"none"}
        ours = {f"r{n}" for n, (text, _l, _e) in enumerate(SEMANTICS) if matches(parse_matchers(text), dict(labels))}
        assert ours == theirs, arguments


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@given(st.builds(Matcher, st.text(min_size=1), st.sampled_from([EQUAL, NOT_EQUAL]), st.text()))
def test_matchers_written_out_are_read_back(matcher):
    """Writing a matcher and reading it gives the same matcher, whatever is in it."""
    assert parse_matchers(str(matcher)) == (matcher,)


@given(st.text())
def test_matchers_raise_nothing_but_bad_matcher(text):
    """Any text is a list of matchers or refused by name."""
    with contextlib.suppress(BadMatcher):
        parse_matchers(text)


PATTERNS = st.sampled_from(["a|b", "a", "", "a|", "a.*", ".*", ".+", "(a|b)c?", "[ab]+", "b{2}", "a b|c-d"])


@given(PATTERNS, st.text("abc -", max_size=4))
def test_matchers_lists_of_literals_equal_the_expression(pattern, value):
    """Where the values can be listed, the list says what RE2 says."""
    matcher = Matcher("a", MATCHES, pattern)
    listed = literals_of(matcher)
    expected = bool(RegexSet([pattern]).matching(value))
    assert accepts_of(matcher)(value) is expected
    assert listed is None or (value in listed) is expected


@given(st.lists(PATTERNS, max_size=6), st.text("abc -", max_size=4) | st.text())
def test_matchers_sets_equal_one_by_one(patterns, value):
    """Asking many expressions at once gives what asking each of them gives."""
    expected = [n for n, pattern in enumerate(patterns) if accepts_of(Matcher("a", MATCHES, pattern))(value)]
    assert RegexSet(patterns).matching(value) == expected


def test_matchers_take_half_a_surrogate_pair_for_text():
    """What is no text in a label is judged, not stumbled over."""
    assert matches(parse_matchers('a=~".+x.*"'), {"a": "\ud800x"})
    assert RegexSet(["x.*", ".+x"]).matching("\ud800x") == [1]
