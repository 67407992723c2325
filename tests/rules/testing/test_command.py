"""`tocsin rules test`: exit codes, output for people, programs and build servers."""

import json
from xml.etree import ElementTree as ET

import pytest
from builders import ONCALL
from calendar_texts import calendar, event
from click.testing import CliRunner

from tocsin.cli import main

RULES = "rules: [{id: critical, match: 'severity=\"critical\"', declare: SEV3}]"
EVENTS = "events: [{at: 0m, firing: {severity: critical, service: db}}]"
PASSES = f"- {{name: passes, {EVENTS}, expect: [{{at: 1m, incidents: [{{rule: critical}}]}}]}}\n"
FAILS = f"- {{name: fails, {EVENTS}, expect: [{{at: 1m, no_incidents: true}}]}}\n"
LATER = f"- {{name: later, todo: soon, {EVENTS}, expect: [{{at: 1m, no_incidents: true}}]}}\n"
PASSES_NOW = PASSES.replace("name: passes", "name: now, todo: soon")


@pytest.fixture
def rules(tmp_path):
    """Write rules and a file of tests beside them; return what calls the command."""
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "oncall.yml").write_text(ONCALL)

    def call(tests: str, *options: str, head: str = "rule_files: [rules.yml, oncall.yml]\n"):
        (tmp_path / "rules_test.yml").write_text(f"{head}tests:\n{tests}")
        return CliRunner().invoke(main, ["rules", "test", str(tmp_path), *options])

    return call


@pytest.mark.parametrize(
    ("tests", "options", "code"),
    [
        (PASSES, (), 0),
        (PASSES + FAILS, (), 1),
        (PASSES + LATER, ("--strict",), 0),
        (PASSES_NOW, (), 0),
        (PASSES_NOW, ("--strict",), 3),
        (PASSES + FAILS, ("--run", "^pass"), 0),
        (PASSES, ("--fail-under", "75"), 0),
        (PASSES, ("--fail-under", "76"), 1),
        (PASSES.replace("rule:", "role:"), (), 2),
        (PASSES, ("--run", "("), 2),
        (PASSES, ("--junit", "/nowhere/junit.xml"), 2),
    ],
)
def test_command_ends_with_the_code_of_the_contract(rules, tests, options, code):
    """0 all is well, 1 a test failed or too little is covered, 2 unusable, 3 warnings under --strict."""
    done = rules(tests, *options)
    assert done.exit_code == code, done.output


def test_command_shows_what_failed_and_why(rules):
    """The place, both sides, and the reason; those that pass are only counted."""
    done = rules(PASSES + FAILS)
    assert "FAIL" in done.stdout
    assert "why: INC-2026-0001 at 0s: SEV3 declared by rule critical" in done.stdout
    assert "passes" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 passed, 1 failed in 1 file, ")


def test_command_prints_json(rules):
    """Programs get every result and the coverage."""
    done = json.loads(rules(PASSES + FAILS, "--output", "json").stdout)
    assert (done["ok"], done["counts"]["passed"], done["counts"]["failed"]) == (False, 1, 1)
    assert done["tests"][1]["failures"][0]["subject"] == "incidents"
    assert done["coverage"]["rules"][0]["missing"] == ['severity="critical" was never false']


def test_command_writes_junit(rules, tmp_path):
    """Build servers get a suite for the file and a case for each test, with what failed and what is left to do."""
    rules(PASSES + FAILS + LATER, "--junit", str(tmp_path / "junit.xml"))
    (suite,) = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    assert [case.get("name") for case in suite] == ["passes", "fails", "later"]
    assert "why: INC-2026-0001" in suite[1][0].text


def test_command_lists_what_no_test_has_seen(rules):
    """Coverage names the rule, its place and what is missing."""
    done = rules(PASSES, "--coverage")
    assert "rules.yml:1: critical: 3 of 4" in done.stdout.replace("1:9", "1")
    assert '  severity="critical" was never false' in done.stdout


def test_command_tests_other_rules_on_request(rules, tmp_path):
    """With --rules the rules that the file names do not matter."""
    (tmp_path / "other.yml").write_text(RULES.replace("SEV3", "SEV1"))
    done = rules(PASSES.replace("rule: critical", "severity: SEV1"), "--rules", str(tmp_path / "other.yml"))
    assert done.exit_code == 0, done.output


def test_command_refuses_rules_that_do_not_load(rules, tmp_path):
    """Rules with errors are shown as `rules check` shows them."""
    (tmp_path / "rules.yml").write_text(RULES.replace("SEV3", "SEV9"))
    done = rules(PASSES)
    assert done.exit_code == 2
    assert "error[E204]" in done.stderr


def test_command_says_where_tests_are_looked_for(tmp_path):
    """A directory without tests is an error, not a success."""
    done = CliRunner().invoke(main, ["rules", "test", str(tmp_path)])
    assert done.exit_code == 2
    assert "*_test.yml" in done.stderr


ON_CALENDARS = """
people: {amira: {channels: [console]}, bo: {channels: [console]}}
rotations:
  near: {calendar: {file: near.ics}}
  far: {calendar: {url: "https://calendar.example.org/far.ics"}}
roles: {incident_commander: {rotation: near}}
paging: {default: {steps: [{page: "rotation:near", acknowledge_within: 5m}, {page: "rotation:far"}]}}
"""
PAGED = EVENTS + ", expect: [{at: 6m, pages: [{to: bo, step: 1}, {to: amira, step: 2}]}]}"
LAST_YEAR = f"- {{name: before, start: '2025-03-03T08:00:00Z', {PAGED}\n"
THIS_YEAR = f"- {{name: now, start: '2026-03-03T08:00:00Z', {PAGED}\n"
FAR = "calendars: {far: far.ics}\n"


@pytest.fixture
def on_calendars(rules, tmp_path):
    """Write people whose turns stand in calendars, one beside the rules and one that only a test gives."""
    (tmp_path / "oncall.yml").write_text(ON_CALENDARS)
    (tmp_path / "near.ics").write_text(calendar(event("bo", "20250101", "20250102", "RRULE:FREQ=DAILY")))
    (tmp_path / "far.ics").write_text(calendar(event("amira", "20250301", "20260501")))
    return lambda head: rules(LAST_YEAR + THIS_YEAR, head=f"rule_files: [rules.yml, oncall.yml]\n{head}")


def test_command_reads_calendars_over_the_time_of_its_tests(on_calendars):
    """A file beside the rules is read as it is; for an address the test file gives one."""
    result = on_calendars(FAR)
    assert (result.exit_code, "2 passed in 1 file" in result.output) == (0, True)


def test_command_says_whose_calendar_is_not_read(on_calendars):
    """An address is not asked: that is said once, and whoever it would name is not paged."""
    result = on_calendars("")
    assert result.exit_code == 1
    assert result.output.count("the rotation far follows a calendar at an address, which is not asked here") == 1


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("calendars: {fra: far.ics}\n", "2:18: error[E309] there is no rotation 'fra' (did you mean 'far'?)"),
        ("calendars: {far: afar.ics}\n", "2:18: error[E409] afar.ics cannot be read: No such file"),
        ("calendars: {far: rules.yml}\n", "2:18: error[E409] this is no calendar"),
    ],
)
def test_command_refuses_a_calendar_that_cannot_be_given(on_calendars, head, said):
    """Each is answered with its place and reason."""
    result = on_calendars(head)
    assert result.exit_code == 2
    assert said in result.output


def test_command_that_runs_no_test_says_so(rules):
    """A name that nothing has is a slip of the fingers, and no success."""
    result = rules(PASSES, "--run", "zzz")
    assert (result.exit_code, "no test has a name that --run 'zzz' matches" in result.output) == (2, True)
