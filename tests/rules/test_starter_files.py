"""The files of `tocsin init` load without a problem and can page somebody at once."""

import pytest

from incidents.values import Role
from rules.load import load_rule_set
from rules.sections import SourceFile
from rules.starter_files import starter_files
from tocsin.config_file import load_settings


@pytest.fixture
def loaded(now):
    files = starter_files()
    return load_rule_set([SourceFile(name, text) for name, text in files.items() if name != "tocsin.yml"], now=now)


def test_starter_files_are_the_configuration_and_two_files_of_rules():
    """Paths are those below the directory that is made."""
    assert list(starter_files()) == ["rules.d/oncall.yml", "rules.d/rules.yml", "tocsin.yml"]


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
