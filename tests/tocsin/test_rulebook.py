"""Rules on their way into force: all or nothing, for every process alike."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from builders import NOW
from calendar_texts import calendar, event

from incidents.errors import NotFound
from incidents.rotations import holder
from incidents.store.calendars import CalendarStates
from incidents.store.connection import Links
from incidents.store.rulesets import RuleSets
from tocsin.config_file import load_settings
from tocsin.rule_files import reload_rules
from tocsin.rulebook import RuleBook
from tocsin.settings import Settings
from workers.calendars import Calendars
from workers.channels.http import HttpClient

GOOD = "rules:\n- {id: critical, match: 'severity=\"critical\"', declare: SEV2}\n"
BAD = "rules:\n- {id: critical, match: 'severity=\"critical\"', declare: SEV9}\n"


def settings_for(folder: Path, *, configured: bool = True) -> Settings:
    """Settings whose rules are the files of a folder."""
    settings = load_settings(None, {"TOCSIN_DATA_DIR": str(folder / "data"), "TOCSIN_RULES": str(folder)})
    return msgspec.structs.replace(settings, config_path=folder / "tocsin.yml" if configured else None)


def test_reload_puts_good_rules_in_force(links: Links, tmp_path: Path):
    """What is reloaded is what every process compiles."""
    (tmp_path / "r.yml").write_text(GOOD)
    stored = RuleSets(links)
    result = reload_rules(settings_for(tmp_path), stored, NOW)
    assert result.errors == ()
    assert stored.current() == result.hash
    assert RuleBook(stored).current().hash == result.hash
    assert [rule.id for rule in RuleBook(stored).current().rules] == ["critical"]


def test_reload_of_broken_rules_keeps_the_old_ones(links: Links, tmp_path: Path):
    """A broken file never replaces a good one, and the status says so with every error."""
    (tmp_path / "r.yml").write_text(GOOD)
    stored = RuleSets(links)
    before = reload_rules(settings_for(tmp_path), stored, NOW).hash
    (tmp_path / "r.yml").write_text(BAD)
    result = reload_rules(settings_for(tmp_path), stored, NOW + timedelta(minutes=1))
    assert result.hash == before
    assert "SEV9" in result.errors[0]
    assert stored.current() == before
    assert not stored.status().successful
    (tmp_path / "r.yml").write_text(GOOD)
    reload_rules(settings_for(tmp_path), stored, NOW)
    assert stored.status().successful


def test_reload_of_no_files_keeps_the_old_ones(links: Links, tmp_path: Path):
    """A checkout that is empty for a moment does not put the packs, which name nobody, in place of people's rules."""
    stored, settings = RuleSets(links), settings_for(tmp_path)
    assert reload_rules(settings, stored, NOW).errors == ()  # there were none before: the packs
    (tmp_path / "r.yml").write_text(GOOD)
    before = reload_rules(settings, stored, NOW).hash
    (tmp_path / "r.yml").unlink()
    result = reload_rules(settings, stored, NOW)
    assert (result.hash, stored.current(), stored.status().successful) == (before, before, False)
    assert "every rule file that was in force is gone" in result.errors[0]
    packs = msgspec.structs.replace(settings, rules=("pack:practice",))
    assert reload_rules(packs, stored, NOW).errors == ()


def test_rulebook_names_a_rule_set_that_is_not_there(links: Links):
    """A hash that names nothing is an error with a name; the empty hash is the empty rule set."""
    book = RuleBook(RuleSets(links))
    assert book.rule_set("").rules == ()
    with pytest.raises(NotFound, match="deadbeef"):
        book.rule_set("deadbeef")


def test_rulebook_compiles_a_rule_set_of_another_version_once(links: Links):
    """Its name was made otherwise: it is known by the name under which it is kept."""
    stored = RuleSets(links)
    stored.publish("madebefore", [("r.yml", GOOD)], NOW)
    book = RuleBook(stored)
    assert book.current().hash == "madebefore"
    assert book.current() is book.current()


def test_rules_page_the_console_while_nothing_is_configured(links: Links, tmp_path: Path):
    """With no configuration at all whoever watches the console is paged; with one, only who it names."""
    stored = RuleSets(links)
    (tmp_path / "r.yml").write_text(GOOD)
    reload_rules(settings_for(tmp_path, configured=False), stored, NOW)
    assert list(RuleBook(stored).current().oncall.people) == ["operator"]
    reload_rules(settings_for(tmp_path), stored, NOW)
    assert RuleBook(stored).current().oncall.people == {}


ROTA = """
people: {amira: {channels: [console]}, bo: {channels: [console]}}
rotations: {commanders: {calendar: {file: on.ics}}}
roles: {incident_commander: {rotation: commanders}}
"""


def on_call(stored: RuleSets) -> str:
    """Who holds the rotation by what is in force, as a process that starts now compiles it."""
    return holder(RuleBook(stored).current().oncall.rotations["commanders"], NOW).person


def test_reload_puts_calendars_beside_the_rules_in_force(links: Links, tmp_path: Path):
    """With the rules, in one step; one that is bad leaves everything as it was."""
    (tmp_path / "r.yml").write_text(GOOD + ROTA)
    stored, settings = RuleSets(links), settings_for(tmp_path)
    for person in ("amira", "bo"):
        (tmp_path / "on.ics").write_text(calendar(event(person, "20260101", "20260201")))
        assert reload_rules(settings, stored, NOW).errors == ()
        assert on_call(stored) == person
    (tmp_path / "on.ics").write_text("<html>")
    (error,) = reload_rules(settings, stored, NOW).errors
    assert "E409" in error
    assert on_call(stored) == "bo"


def test_calendars_beside_the_rules_go_on_recurring_without_a_reload(links: Links, tmp_path: Path):
    """The facts worker finds the events of later days anew."""
    (tmp_path / "r.yml").write_text(GOOD + ROTA)
    (tmp_path / "on.ics").write_text(calendar(event("amira", "20260101", "20260102", "RRULE:FREQ=DAILY")))
    stored, later = RuleSets(links), NOW + timedelta(days=400)
    reload_rules(settings_for(tmp_path), stored, NOW)
    book = RuleBook(stored)
    Calendars(
        rule_set=book.current, stored=stored, states=CalendarStates(links), client=HttpClient(), now=lambda: later
    ).step()
    assert holder(book.current().oncall.rotations["commanders"], later).person == "amira"
