"""Hostile and broken rule files: each is answered with place and reason, without exploding in time or memory."""

import gc
import os
import tracemalloc

import pytest
from explosions import cut_off_if_it_explodes

from rules.check import check, render_text
from rules.index import Matching
from rules.loading.files import read_rule_files
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.templates import Values, render

BYTES = 16 * 1024 * 1024
RULE = "rules:\n- id: a\n  match: 'a=\"b\"'\n  declare: SEV3\n"
REGEX = "rules: [{id: a, declare: SEV1, match: 'x=~\"%s\"'}]"
ALIASES = "a: &a [x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)
ABSORB = "- {id: %s, match: '%s=\"1\"', identity: [%s], declare: SEV2, absorb: {for: 5m}}\n"

CASES = {
    "aliases": (ALIASES, "1:4: error[E105] anchors are not allowed: &a"),
    "python tag": ("rules: !!python/object/apply:os.system [x]", "1:8: error[E106] tags are not allowed"),
    "own tag": ("rules: !secret x", "1:8: error[E106] tags are not allowed: !secret"),
    "duplicate key": (RULE + "  match: 'c=\"d\"'\n", "5:3: error[E108] the key 'match' is already there in line 3"),
    "NO": ("rules: [{id: NO, match: a=NO, declare: NO}]", "1:40: error[E204] declare cannot be 'NO'"),
    "12:30": (RULE + "  reopen_within: 12:30\n", "5:18: error[E205] reopen_within: '12:30' is not a duration"),
    "tab": (RULE.replace("  declare", "\tdeclare"), "4:1: error[E110] a tab cannot indent"),
    "5 MB": ("# " + "x" * 5_000_000, "1:1: error[E102] the file is larger than"),
    "1 MB of values": ("rules: [" + "1," * 500_000 + "]", "1:40009: error[E113] the list holds more than 20,000"),
    "two documents": (RULE + "---\n" + RULE, "5:1: error[E109] a file holds one document"),
    "half written": (RULE[:30] + '"', "3:10: error[E101] the quote that opens here is never closed"),
    "half a mapping": ("rules:\n- {id: a, decl", "2:3: error[E101] the { that opens here is never closed"),
    "large regex": (REGEX % ("[\\\\pL]" + "{500}"), "is not valid in RE2: pattern too large"),
    "nested repeats": (REGEX % "((a{30}){30}){30}", "1:44: error[E302] match: the regular expression"),
    "look-ahead": (REGEX % "(?=a)b", "is not valid in RE2: invalid perl operator: (?="),
    "loop": (RULE + "  title: '{% for x in y %}{% endfor %}'\n", "5:11: error[E310] title: {% is not allowed"),
    "call": (RULE + "  title: '{{ labels.__class__() }}'\n", "5:14: error[E310] title: {{ labels.__class__() }}"),
    "long template": (RULE + f"  title: '{'{{ value }}' * 90_000}'\n", "title: it has 990000 characters; at most 4000"),
    "NUL": ("rules: [\x00]", "1:9: error[E103] the control character U+0000 is not allowed"),
    "UTF-16": (RULE.encode("utf-16"), "1:1: error[E103] byte 0xff is not UTF-8"),
    "Latin-1": (RULE.encode() + "  title: Störung\n".encode("latin-1"), "5:12: error[E103] byte 0xf6 is not UTF-8"),
    "deep lists": ("[" * 500_000, "1:101: error[E111] nested deeper than 100 levels"),
    "deep mappings": ("{a: " * 200_000, "1:401: error[E111] nested deeper than 100 levels"),
    "deep blocks": ("".join(" " * depth + "a:\n" for depth in range(1400)), "error[E111] nested deeper than 100"),
    "deep conditions": (
        "rules: [{id: a, declare: SEV1, when: " + "{all: [" * 20 + "{match: a=b}" + "]}" * 20 + "}]",
        "error[E303] conditions are nested deeper than 8 levels",
    ),
    "long word": ("rules: [{id: a, declare: " + "S" * 900_000 + "}]", "error[E204] declare cannot be 'SSS"),
    "long number": ("rules: [{id: a, escalate_by: " + "9" * 900_000 + "}]", "error[E201] escalate_by must be"),
    "long duration": (RULE + "  reopen_within: " + "1h" * 400_000, "5:18: error[E205] reopen_within"),
    "open quotes": ("slos: [{error_ratio: '" + '["' * 200_000 + "'}]", "error[E314] error_ratio"),
    "path as zone": ("people: {a: {timezone: ../../../etc/passwd}}", "1:24: error[E401] there is no time zone"),
    "merge key": ("rules:\n- <<: {id: a}\n", "2:3: error[E107] merge keys are not allowed"),
    "mutual storms": ("rules:\n" + ABSORB % ("a", "x", "y") + ABSORB % ("b", "z", "v"), "3:65: warning[W326] b and a"),
}  # fmt: skip


@pytest.fixture
def answered(now):
    return lambda text: render_text(check([SourceFile("f.yml", text)], now))


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_answered_with_place_and_reason(answered, name):
    """Where it is wrong and why."""
    text, expected = CASES[name]
    with cut_off_if_it_explodes():
        assert expected in answered(text)


@pytest.mark.parametrize("name", CASES)
def test_bad_input_takes_little_memory(answered, name):
    """Nothing is unfolded, and what is too large is not read into values."""
    text, _ = CASES[name]
    gc.collect()
    tracemalloc.start()
    try:
        answered(text)
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "rules: [" + "1," * 19_900 + "]",
        "rules: {" + "".join(f"a{place}: 1," for place in range(90_000)) + "}",
        "".join(f"a{place}: 1\n" for place in range(100_000)),
        "people: {" + "".join(f"p{place}: {{channels: [c{place}]}}," for place in range(25_000)) + "}",
        "people: {a: {}}\nrotations: {r: {order: [" + "a," * 19_900 + "]}}",
        "rules: [{id: a, declare: SEV1, when: {all: [" + "{match: a=b}," * 19_900 + "]}}]",
        "rules: [{id: a, declare: SEV1, match: '" + "a=b," * 200_000 + "'}]",
        "normalize: {" + ",".join(f"l{place}: [a{place}]" for place in range(50_000)) + "}",
        "rules: [{id: a, declare: SEV1, identity: [" + ",".join(f"l{place}" for place in range(19_900)) + "]}]",
    ],
    ids=["items", "entries", "keys", "people", "turns", "conditions", "matchers", "labels", "identity"],
)  # fmt: skip
def test_bad_input_of_a_full_size_is_bounded(answered, text):
    """A file of as many values as are read, each as small as can be, is answered like any other."""
    with cut_off_if_it_explodes():
        said = answered(text)
    assert "error[E" in said
    assert "E113" not in said


def test_bad_input_with_a_byte_order_mark_and_windows_lines_is_fine(now):
    """Files of other systems are files."""
    files = [SourceFile("f.yml", b"\xef\xbb\xbf" + RULE.replace("\n", "\r\n").encode())]
    assert load_rule_set(files, now=now).problems == ()


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*,){20}x", "(?i)(x+x+)+y"])
def test_bad_input_of_catastrophic_expressions_is_quick(rule_set_of, pattern):
    """What hangs other engines is matched in no time."""
    matching = Matching(rule_set_of(REGEX % pattern))
    with cut_off_if_it_explodes():
        assert matching.match({"x": "a" * 100_000 + "!"}).hits == ()


def test_bad_input_of_templates_that_explode_is_cut():
    """As many holes as fit, each with a huge label: the output keeps its bound."""
    template = "{{ labels.a | upper | lower }}" * 130
    with cut_off_if_it_explodes():
        assert len(render(template, Values({"a": "ß" * 1_000_000}, {}))) == 1000
    assert render(template, Values({}, {})) == ""


def test_bad_input_of_a_label_that_changes_type_is_text(rule_set_of):
    """A number among labels is no number for a rule: the receiver takes text alone, and text is what is compared."""
    same, digits = """match: 'code="5"'""", """match: 'code=~"[0-9]+"'"""
    matching = Matching(rule_set_of(f"rules: [{{id: a, {same}, declare: SEV3}}, {{id: b, {digits}, declare: SEV3}}]"))
    hits = {code: [hit.rule.id for hit in matching.match({"code": code}).hits] for code in ("5", "five", "5.0", "")}
    assert hits == {"5": ["a", "b"], "five": [], "5.0": [], "": []}


def test_bad_input_behind_links_is_refused(tmp_path):
    """A link out of the directory, a loop of links, a pipe: nothing of it is opened, and the rest is read."""
    rules = tmp_path / "rules.d"
    rules.mkdir()
    (rules / "good.yml").write_text(RULE)
    (tmp_path / "secret.yml").write_text("people: {a: {channels: [console]}}")
    (rules / "out.yml").symlink_to(tmp_path / "secret.yml")
    (rules / "loop.yml").symlink_to(rules / "loop.yml")
    os.mkfifo(rules / "pipe.yml")
    with cut_off_if_it_explodes():
        read = read_rule_files([str(rules)])
    assert [file.name for file in read.files] == [str(rules / "good.yml")]
    assert sorted((each.file.rpartition("/")[2], each.code) for each in read.problems) == [
        ("loop.yml", "E002"),
        ("out.yml", "E003"),
        ("pipe.yml", "E002"),
    ]
