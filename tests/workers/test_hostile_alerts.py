"""Alerts that mean harm: they claim to be another source's, name keys of the store, and turn titles around."""

import pytest
from builders import NOW, alert, rule_set
from stage import Stage

from incidents import keys
from incidents.incident import Incident
from incidents.store.alert_reads import AlertReads
from incidents.store.connection import Links
from incidents.store.incidents import Incidents
from incidents.values import AlertStatus

EVIL = "a:b}{x\r\nFLUSHALL\r\ntocsin:cursor:decider"


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    """A store with the rule `critical`."""
    return Stage(store_url, links, rule_set())


def firing_of(stage: Stage, incident: Incident) -> int:
    """How many alerts of an incident fire."""
    return Incidents(stage.links, lambda _: stage.rules.oncall).get(incident.id)[1].firing


def post(stage: Stage, source: str, status: str = "firing") -> None:
    stage.intake.append_alerts(
        source=source,
        alerts=[alert(status=status, ends_at=stage.now if status == "resolved" else None)],
        received_at=stage.now,
    )


def test_same_alert_of_two_sources_is_two_alerts(stage: Stage):
    """What one source says never stands for what another says: both fire, in the one incident of their identity."""
    post(stage, "prod")
    post(stage, "forger")
    stage.decide()
    [incident] = stage.incidents()
    assert firing_of(stage, incident) == 2
    heard = AlertReads(stage.links).alerts().alerts
    assert sorted(each.state.source for each in heard) == ["forger", "prod"]


def test_resolve_of_another_source_changes_nothing(stage: Stage):
    """A forged end resolves the forger's own alert, if it has one, and no other."""
    post(stage, "prod")
    stage.decide()
    before = stage.incidents()
    post(stage, "forger", "resolved")
    stage.decide()
    assert stage.incidents() == before
    assert firing_of(stage, before[0]) == 1
    states = {each.state.source: each.state.status for each in AlertReads(stage.links).alerts().alerts}
    assert states["prod"] is AlertStatus.FIRING


def test_identity_becomes_no_key_of_the_store(stage: Stage):
    """Foreign text is hashed before it is part of a key; it breaks no command, and no key of ours is reached."""
    stage.post(alert(service=EVIL), alert(service="db*"), alert(service="x" * 4000))
    stage.decide()
    assert {incident.identity["service"] for incident in stage.incidents()} == {EVIL, "db*", "x" * 4000}
    names = [name.decode() for name in stage.link.one("KEYS", "*")]
    ours = [name for name in names if name.startswith("tocsin:")]
    assert len(ours) == len([name for name in names if not name.startswith("rq:")])
    assert not any("FLUSHALL" in name or "db*" in name or len(name) > 100 for name in names)
    assert stage.link.one("EXISTS", keys.cursor())


def test_title_reads_as_what_it_is(stage: Stage):
    """Overrides of direction, invisible and control characters and piles of accents do not reach a title."""
    stage.post(alert("Disk\u202e lluf\u200b\x1b[2J" + "\u0336" * 10_000, service="db\r\nBcc: all"))
    stage.decide()
    [incident] = stage.incidents()
    assert incident.title == "Disk lluf [2J\u0336\u0336\u0336: db Bcc: all"
    assert incident.declared_at == NOW
