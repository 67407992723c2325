"""The report of a check: text with the offending line, JSON, GitHub annotations; nothing secret, nothing that acts."""

import json

import pytest

from rules.check import check, render_github, render_json, render_text
from rules.loading.nodes import Problem
from rules.loading.sections import SourceFile

GOOD = "rules: [{id: a, match: x=1, declare: SEV3}, {id: b, match: x=1, declare: SEV3, mode: shadow}]\n"
BAD = "rules:\n- id: a\n  match: severity=page\n  thresold: 5\n  declare: SEV3\n"


@pytest.fixture
def report(now):
    def reported(*texts, unreadable=()):
        files = [SourceFile(f"{place}.yml", text) for place, text in enumerate(texts)]
        return check(files, now, unreadable=unreadable)

    return reported


def test_check_quotes_the_line_with_a_caret(report):
    """The place is seen at once."""
    assert render_text(report(BAD)) == (
        "0.yml:4:3: error[E202] a rule has no key 'thresold' (known keys: absorb, assign, attach_only, criterion, "
        "declare, escalate_by, id, identity, match, mode, objectives, on, page, reopen_within, restricted, runbook, "
        "stakeholders, summary, tiers, title, when)\n"
        "    4 |   thresold: 5\n"
        "      |   ^\n"
        "1 error, 0 warnings in 1 file; nothing was loaded\n"
    )


def test_check_sums_up_what_is_in_order(report):
    """A clean set says how much it holds, and its hash."""
    found = report(GOOD, "people: {amira: {channels: [console]}}\npaging: {default: {steps: [{page: amira}]}}")
    assert (found.errors, found.warnings) == (0, 0)
    assert (
        render_text(found) == f"OK: 2 files, 2 rules (1 enforce, 1 shadow), 1 person, rule set {found.rule_set.hash}\n"
    )


def test_check_sorts_by_file_and_line(report):
    """In the order of the files, then of the lines, whatever part of the loader found it."""
    found = report("rules: [{id: a}]\npeople: {x: {nme: y}}\nrulez: 1\n", "- 1")
    assert [(problem.file, problem.line) for problem in found.problems] == [
        ("0.yml", 1),
        ("0.yml", 2),
        ("0.yml", 3),
        ("1.yml", 1),
    ]


def test_check_puts_what_could_not_be_read_first(report):
    """A file that is missing makes the set unusable, even if the rest is in order."""
    found = report(GOOD, unreadable=[Problem(file="gone.yml", code="E001", message="cannot be read")])
    assert found.rule_set is None
    assert render_text(found).startswith("gone.yml: error[E001] cannot be read\n1 error,")


def test_check_hides_what_may_be_secret(report):
    """Reports stand in the logs of build servers: secrets and addresses in a quoted line are masked, in place."""
    line = "  a: {webhook: {url: 'https://hook.example.org/s3cr3t', secret: hunter2, scret: 1}}\n"
    text = render_text(report("channels:\n" + line))
    assert "s3cr3t" not in text
    assert "hunter2" not in text
    quoted, caret = text.splitlines()[1:3]
    assert len(quoted) == len("    2 | ") + len(line.rstrip())
    assert quoted[caret.index("^") :].startswith("scret: 1")


def test_check_shows_control_characters_instead_of_sending_them(report):
    """A rule file cannot steer the terminal that shows its errors, nor can a name of it."""
    text = render_text(report('rules: [{id: "a\\e[31mb", declare: SEV3}]\n\u202e: 1'))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\u202e" in text


def test_check_cuts_long_lines_around_the_place(report):
    """The caret stays in sight on a line of any length."""
    text = render_text(report("rules: [{id: a, match: x=1, declare: SEV3, " + " " * 5000 + "declar: SEV3}]"))
    quoted, caret = text.splitlines()[1:3]
    assert len(quoted) < 200
    assert quoted[caret.index("^") :].startswith("declar: SEV3")


def test_check_writes_json(report):
    """One object with everything, for other programs."""
    found = json.loads(render_json(report(BAD)))
    assert (found["ok"], found["hash"], found["errors"], found["files"]) == (False, None, 1, ["0.yml"])
    assert found["problems"][0]["code"] == "E202"
    assert (found["problems"][0]["line"], found["problems"][0]["column"]) == (4, 3)
    good = json.loads(render_json(report(GOOD)))
    assert (good["ok"], good["rules"], len(good["hash"])) == (True, 2, 16)


def test_check_writes_annotations(report):
    """One workflow command each, with what would end it escaped."""
    unreadable = [Problem(file="a,b:c.yml", code="E001", message="100%\nno", severity="warning")]
    lines = render_github(report(BAD, unreadable=unreadable)).splitlines()
    assert lines[0] == "::warning file=a%2Cb%3Ac.yml,title=E001::100%25%0Ano"
    assert lines[1].startswith("::error file=0.yml,line=4,col=3,title=E202::a rule has no key 'thresold'")


def test_check_takes_bytes_that_are_no_text(report):
    """A binary file is reported, and quoting it breaks nothing."""
    text = render_text(report(b"\x00\xff\xfe\nrules: []"))
    assert "error[E103]" in text


def test_check_puts_the_caret_under_wide_characters(report):
    """A character that takes two cells is counted as two, a tab as one, an accent of its own as none."""
    text = render_text(report("normalize: {日本: [a], e\u0301: [b],\tc: []}"))
    quoted, caret = text.splitlines()[1:3]
    before = quoted[: quoted.index("c: []")]
    assert caret.index("^") == len(before) + len("日本") - 1


def test_check_points_inside_of_a_text(report):
    """The caret stands under the character that is wrong in a matcher, a regular expression or a template."""
    for value, wrong in (
        ('match: \'a="b" x="c"\'', "x="),
        ("match: 'a=~\"b(\"'", "b("),
        ("match: a=b, title: 'a {{ b }}'", "b }}"),
    ):
        quoted, caret = render_text(report(f"rules: [{{id: a, declare: SEV3, {value}}}]")).splitlines()[1:3]
        assert quoted[caret.index("^") :].startswith(wrong)


def test_check_colours_when_asked(report):
    """Errors are red and warnings yellow; without colour no escape sequence is printed."""
    found = report(BAD)
    assert "\x1b[1;31m: error[E202]\x1b[0m" in render_text(found, colour=True)
    assert "\x1b" not in render_text(found)


def test_check_sums_up_for_github(report):
    """The last line of the annotations says how much was found."""
    assert render_github(report(BAD)).endswith("\n1 error, 0 warnings in 1 file; nothing was loaded\n")
