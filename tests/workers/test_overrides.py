"""Overrides that people make, under a real decider and while others change the rules."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from builders import CRITICAL, NOW, alert, source_files
from stage import Stage

from incidents.overrides import MadeOverride
from incidents.store.overrides import Overrides
from incidents.store.rulesets import RuleSets
from rules.deciding.deciding import Deciding
from rules.loading.rule_set import load_rule_set
from tocsin.rulebook import RuleBook

ROTA = """
people: {amira: {channels: [console]}, bo: {channels: [console]}}
rotations: {commanders: {handoff: {every: 1w, starting: 2026-01-05}, order: [amira, bo]}}
roles: {incident_commander: {rotation: commanders}}
"""


def standing_in(name):
    return MadeOverride(
        id=name, rotation="commanders", person="bo", start=NOW, until=NOW + timedelta(hours=1), by="amira", at=NOW
    )


@pytest.fixture
def published(links):
    """The rules in the store, as files, and how to publish them again."""
    files = source_files(CRITICAL, ROTA)
    rules = load_rule_set(files, now=NOW).rule_set

    def publish():
        RuleSets(links).publish(rules.hash, [(file.name, file.text) for file in files], NOW)
        return rules

    return publish


def test_override_is_seen_by_a_decider_that_runs(store_url, links, published):
    """The same decider assigns somebody else from the next commit on, and judges no alert anew for it."""
    stage = Stage(store_url, links, published())
    published()
    book = RuleBook(RuleSets(links))
    decider = stage.decider(deciding=lambda name: Deciding(book.rule_set(name)))
    stage.post(alert())
    stage.decide(decider)
    Overrides(links).make(standing_in, NOW)
    stage.post(alert(), alert(service="web"))
    stage.decide(decider)
    assert [incident.roles.incident_commander for incident in stage.incidents()] == ["amira", "bo"]


def test_override_and_reload_at_once_lose_nothing(links, published):
    """Whoever comes second keeps what the first did."""
    rules = published()
    overrides = Overrides(links)
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(overrides.make, standing_in, NOW) for _ in range(8)]
        reloads = [pool.submit(published) for _ in range(8)]
        names = {each.result()[0].id for each in made}
        assert {each.result().hash for each in reloads} == {rules.hash}
    assert {each.id for each in overrides.listed()} == names
    assert RuleBook(RuleSets(links)).current().hash.startswith(rules.hash + "+")


def test_override_that_was_over_for_long_is_forgotten(links, published):
    """With the next one that is made; and without any, what is in force has its plain name."""
    rules = published()
    overrides = Overrides(links)
    first, _ = overrides.make(standing_in, NOW)
    assert overrides.end(first.id, NOW).id == first.id
    assert RuleSets(links).current() == rules.hash
    overrides.make(standing_in, NOW)
    second, _ = overrides.make(standing_in, NOW + timedelta(days=40))
    assert [each.id for each in overrides.listed()] == [second.id]
