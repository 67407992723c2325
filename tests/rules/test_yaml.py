"""The strict YAML reader: what it types, what it refuses and where, and that no input makes it raise or linger."""

import pytest
from explosions import cut_off_if_it_explodes
from hypothesis import given
from hypothesis import strategies as st

from rules.durations import format_duration, parse_duration
from rules.loading.fields import Fields
from rules.loading.nodes import Kind, Node, Problem
from rules.loading.yaml import MAX_PROBLEMS, read_yaml

ALIAS_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def read(source: str | bytes) -> tuple[Node, list[Problem]]:
    problems: list[Problem] = []
    return read_yaml(source, "f.yml", problems), problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("off", "off"), ("yes", "yes"), ("12:30", "12:30"), ("2026-01-02", "2026-01-02"), ("010", "010"),
        ("1_000", "1_000"), (".inf", ".inf"), ("1e9999", "1e9999"), ("0b1", "0b1"), ("'1'", "1"), ('"true"', "true"),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("0", 0), ("-3", -3), ("+4", 4),
        ("0x1F", 31), ("0o17", 15), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0),
    ],
)  # fmt: skip
def test_yaml_types_scalars_of_the_core_schema(text, value):
    """Scalars are typed after YAML 1.2; what 1.1 or a leading zero would change stays text."""
    node, problems = read(f"a: {text}")
    assert (node.entries["a"].value, type(node.entries["a"].value)) == (value, type(value))
    assert problems == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", "f.yml:2:1: error[E108] the key 'a' is already there in line 1 (remove one of them)"),
        ("a: &x 1\n", "f.yml:1:4: error[E105] anchors are not allowed: &x (write the value out)"),
        ("a: [*x]\n", "f.yml:1:5: error[E104] aliases are not allowed: *x (write the value out)"),
        ("a: !!str 1\n", "f.yml:1:4: error[E106] tags are not allowed: tag:yaml.org,2002:str (remove it)"),
        ("a:\n  <<: {b: 1}\n", "f.yml:2:3: error[E107] merge keys are not allowed: << (write the keys out)"),
        ("a: 1\n---\nb: 2\n", "f.yml:2:1: error[E109] a file holds one document (put the second"),
        ("a:\n\tb: 1\n", "f.yml:2:1: error[E110] a tab cannot indent (use spaces)"),
        ("[a]: 1\n", "f.yml:1:1: error[E112] a key must be text (put {{ ... }} in quotes)"),
        ("[" * 101, "f.yml:1:101: error[E111] nested deeper than 100 levels"),
        ("a: \x00", "f.yml:1:4: error[E103] the control character U+0000 is not allowed"),
        ("a: \ud800", "f.yml:1:4: error[E103] the control character U+D800 is not allowed"),
        (b"a: 1\nb: \xff", "f.yml:2:4: error[E103] byte 0xff is not UTF-8 (save it as UTF-8)"),
        ("a: b: c", "f.yml:1:5: error[E101] a second colon in one value (put the value in quotes)"),
        ("rules: [", "f.yml:1:8: error[E101] the [ that opens here is never closed (close it with ])"),
        ("rules: [\n  a,\n\n", "f.yml:2:4: error[E101] the file ends within brackets (close them)"),
        ("x" * 5_000_000, "f.yml:1:1: error[E102] the file is larger than the 1048576 bytes that are read (split it)"),
    ],
)  # fmt: skip
def test_yaml_refuses_with_the_place(text, expected):
    """Everything outside of the strict subset is refused with line, column and mend."""
    _, problems = read(text)
    assert str(problems[0]).startswith(expected)


def test_yaml_alias_bomb_is_cheap():
    """Aliases are never followed."""
    with cut_off_if_it_explodes():
        node, problems = read(ALIAS_BOMB)
    assert {problem.code for problem in problems} == {"E104", "E105"}
    assert node.kind is Kind.MAPPING


def test_yaml_reports_all_errors_up_to_a_limit():
    """One run shows every error, but never more than a screenful or two."""
    assert len(read("a: &x 1\nb: *y\nb: 2\n")[1]) == 3
    assert len(read("[" + "*a," * 50_000 + "]")[1]) == MAX_PROBLEMS


@pytest.mark.parametrize(
    "source", ["", "# only a comment\n", b"\xef\xbb\xbfa: 1\r\nb:\r\n- x\r\n", "%YAML 1.2\n---\na: 1"]
)
def test_yaml_accepts(source):
    """Empty files, byte order marks, Windows line ends and a version line are fine."""
    assert read(source)[1] == []


@given(st.one_of(st.text(), st.binary(), st.text("{}[]:,-&*!|>'\"%@`?# \n\tab1")))
def test_yaml_never_raises(source):
    """Whatever a file holds, the answer is a node and a list of problems."""
    node, _ = read(source)
    assert isinstance(node, Node)


def test_fields_collect_every_problem():
    """Readers give the default and go on, so that one run shows all."""
    node, problems = read("nam: x\ncount: many\nwait: 5\nmode: enforec\nlist: 3\nflag: yes\n")
    known = ("name", "count", "wait", "mode", "list", "flag")
    fields = Fields(node, problems, what="a rule", known=known)
    assert fields.require("name") is False
    assert fields.integer("count", 7) == 7
    assert fields.duration("wait", None) is None
    assert fields.choice("mode", ("enforce", "shadow"), "enforce") == "enforce"
    assert fields.strings("list", ()) == ()
    assert fields.boolean("flag", default=False) is False
    assert [str(problem) for problem in problems] == [
        "f.yml:1:1: error[E202] a rule has no key 'nam' (did you mean 'name'?)",
        "f.yml:1:1: error[E203] a rule needs 'name'",
        "f.yml:2:8: error[E201] count must be a whole number, not a string",
        "f.yml:3:7: error[E205] wait: '5' is not a duration; write it like 5s or 5m",
        "f.yml:4:7: error[E204] mode cannot be 'enforec'; it is one of enforce, shadow (did you mean 'enforce'?)",
        "f.yml:5:7: error[E201] list must be a list, not a whole number (put it in brackets: [...])",
        "f.yml:6:7: error[E201] flag must be true or false, not a string",
    ]


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("30s", 30), ("1h30m", 5400), ("2d", 172800), ("1w", 604800), ("5ms", 0.005)]
)
def test_durations_read_as_prometheus_writes_them(text, seconds):
    """Units once each, from the largest to the smallest."""
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "5x", "1m1h", "-5m", "1.5h", "5m ", "999999999y", "1h1h"])
def test_durations_refuse_others(text):
    """Anything else raises ValueError with an example."""
    with pytest.raises(ValueError):
        parse_duration(text)


@given(st.timedeltas(min_value=parse_duration("0"), max_value=parse_duration("1000d")))
def test_durations_round_trip(duration):
    """What is written reads back the same, to the millisecond."""
    assert abs((parse_duration(format_duration(duration)) - duration).total_seconds()) < 0.001


def test_yaml_names_the_quote_that_was_opened_lines_above():
    """The line where the quote is missing, and not the next one that happens to close it."""
    found: list[Problem] = []
    read_yaml("a: 'b\nc: d\ne: 'f'\n", "f.yml", found)
    assert [(each.line, each.column) for each in found] == [(1, 4)]
    assert "closed by the one in line 3" in found[0].message
