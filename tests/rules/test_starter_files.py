"""The files of `tocsin init` load without a problem and can page somebody at once."""

import pytest

from incidents.values import Role
from rules.loading.files import TEST_NAMES
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.starter_files import starter_files
from rules.testing.load import load_test_file
from rules.testing.suite import Suite
from tocsin.config_file import load_settings


@pytest.fixture
def loaded(now):
    files = starter_files()
    listed = [name for name in files if name.startswith("rules.d/") and not name.endswith(TEST_NAMES)]
    return load_rule_set([SourceFile(name, files[name]) for name in listed], now=now)


def test_starter_files_are_the_configuration_two_files_of_rules_and_their_tests():
    """Paths are those below the directory that is made."""
    rules = ["rules.d/oncall.yml", "rules.d/rules.yml", "rules.d/rules_test.yml"]
    assert list(starter_files()) == [*rules, "tocsin.yml"]


def test_starter_tests_pass_and_cover_every_rule(loaded, now):
    """The tests that come with the rules pass, and see each rule, tier and matcher both ways."""
    file = load_test_file(SourceFile("rules_test.yml", starter_files()["rules.d/rules_test.yml"]), now)
    assert file.problems == ()
    suite = Suite(lambda _: loaded.rule_set)
    assert [result.failures for result in suite.run([file]) if result.outcome != "passed"] == []
    assert [rule for rule in suite.report([file]).coverage.rules if rule.missing] == []


def test_starter_rules_load_without_a_problem(loaded):
    """Not even a warning."""
    assert loaded.problems == ()
    assert len(loaded.rule_set.rules) >= 5


def test_starter_people_can_be_paged_on_the_console(loaded):
    """Everybody has a channel that needs no account, and the commander's rotation has somebody."""
    oncall = loaded.rule_set.oncall
    assert {channel.kind for person in oncall.people.values() for channel in person.channels} == {"console"}
    assert oncall.rotations[oncall.roles[Role.INCIDENT_COMMANDER]].order == ("alex", "sam")
    assert oncall.policies["default"].steps[0].page == ("incident_commander",)


def test_starter_configuration_is_read_by_the_settings(tmp_path):
    """The commented tocsin.yml is in order too."""
    path = tmp_path / "tocsin.yml"
    path.write_text(starter_files()["tocsin.yml"])
    (listed,) = load_settings(path, {}).rules
    assert listed.endswith("rules.d")
