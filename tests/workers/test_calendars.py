"""Calendars of rotations are read again and again; what is bad never replaces what was good."""

from datetime import datetime, timedelta

import pytest
from builders import CRITICAL, NOW, alert, source_files
from calendar_texts import calendar, event
from page_sink import Answer as Served
from page_sink import PageSink
from stage import Stage

from incidents.calendars import MOST_BYTES, is_stale
from incidents.overrides import MadeOverride
from incidents.rotations import holder
from incidents.store.calendars import CalendarStates
from incidents.store.overrides import Overrides
from incidents.store.rulesets import RuleSets
from rules.deciding.deciding import Deciding
from rules.loading.rule_set import load_rule_set
from tocsin.rulebook import RuleBook
from workers.calendars import Calendars
from workers.channels.errors import DeliveryError
from workers.channels.http import Answer, HttpClient

CALENDAR = 'calendar: {url: "https://calendar.example.org/secret.ics"}'
ROTA = f"""
people: {{amira: {{channels: [console]}}, bo: {{channels: [console]}}}}
rotations: {{commanders: {{{CALENDAR}}}}}
roles: {{incident_commander: {{rotation: commanders}}}}
"""
AMIRA = calendar(event("amira", "20260101", "20271231"))
BO = calendar(event("bo", "20260101", "20271231"))


class Upstream:
    """A server of one calendar: what it answers, and how it was asked."""

    def __init__(self):
        self.answer = Answer(status_code=200, text="", retry_after=None, content=AMIRA.encode(), etag='"1"')
        self.asked = []

    def say(self, text, status=200, etag=""):
        self.answer = Answer(status_code=status, text="", retry_after=None, content=text.encode(), etag=etag)

    def get(self, url, headers):
        self.asked.append((url, dict(headers)))
        return self.answer


class World:
    """The rules in the store, a reader of their calendars, and what is in force."""

    def __init__(self, links):
        files = source_files(CRITICAL, ROTA)
        self.rules = load_rule_set(files, now=NOW).rule_set
        self.now: datetime = NOW
        self.stored, self.states, self.upstream = RuleSets(links), CalendarStates(links), Upstream()
        self.stored.publish(self.rules.hash, [(file.name, file.text) for file in files], NOW)
        self.book = RuleBook(self.stored)
        self.reader = self.restarted()

    def restarted(self):
        return Calendars(
            rule_set=self.book.current,
            stored=self.stored,
            states=self.states,
            client=self.upstream,
            now=lambda: self.now,
        )

    def read(self, **later):
        """Read it again, so much later."""
        self.now += timedelta(**later)
        self.reader._due.clear()
        self.reader.step()

    @property
    def holder(self):
        return holder(self.book.current().oncall.rotations["commanders"], self.now).person

    @property
    def status(self):
        (status,) = self.states.known().values()
        return status


@pytest.fixture
def world(links):
    return World(links)


def test_calendars_come_into_force_for_everybody_at_once(world, links, store_url):
    """The next commit of a decider that runs goes by them; overrides and reloads stay what they are."""
    stage = Stage(store_url, links, world.rules)
    world.stored.publish(world.rules.hash, [(file.name, file.text) for file in source_files(CRITICAL, ROTA)], NOW)
    decider = stage.decider(deciding=lambda name: Deciding(world.book.rule_set(name)))
    stage.post(alert())
    stage.decide(decider)
    world.read()
    stage.post(alert(service="web"))
    stage.decide(decider)
    Overrides(links).make(
        lambda name: MadeOverride(
            id=name, rotation="commanders", person="bo", start=NOW, until=NOW + timedelta(days=1), at=NOW
        ),
        NOW,
    )
    stage.post(alert(service="cache"))
    stage.decide(decider)
    assert [incident.roles.incident_commander for incident in stage.incidents()] == [None, "amira", "bo"]
    name = world.stored.current()
    world.stored.publish(world.rules.hash, [(file.name, file.text) for file in source_files(CRITICAL, ROTA)], NOW)
    assert (world.stored.current(), name.count("+")) == (name, 2)


def test_calendars_follow_what_changes_and_ask_only_for_that(world):
    """With the tag of what is known; what has not changed makes nothing new."""
    world.read()
    name = world.stored.current()
    world.upstream.say("", status=304)
    world.read(minutes=15)
    assert (world.upstream.asked[-1][1], world.stored.current()) == ({"If-None-Match": '"1"'}, name)
    assert (world.status.failed, world.status.good_at) == ("", world.now)
    world.upstream.say(BO, etag='"2"')
    world.read(minutes=15)
    assert (world.holder, world.stored.current() != name) == ("bo", True)


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("", 500, "answered 500 Internal Server Error"),
        ("", 302, "redirects are not followed"),
        ("", 200, "the answer was empty, or broke off"),
        ("<html>Sign in</html>", 200, "this is no calendar"),
        (BO[:-30], 200, "torn"),
        (calendar(), 200, "no events"),
        (calendar(event("Team lunch", "20260101", "20271231")), 200, "names a person; there is 'Team lunch'"),
        ("x" * (MOST_BYTES + 1), 200, "more than 2 MiB"),
    ],
)
def test_calendars_that_turn_bad_change_nothing_and_are_told_of(world, text, status, said):
    """The last good copy stays, and the reason with when it was last good; what is mended is read."""
    world.read()
    world.upstream.say(text, status=status)
    world.read(hours=1)
    assert (world.holder, world.status.good_at) == ("amira", NOW)
    assert said in world.status.failed
    assert is_stale(world.status, world.now)
    world.upstream.say(BO)
    world.read(minutes=15)
    assert (world.holder, world.status.failed, is_stale(world.status, world.now)) == ("bo", "", False)


def test_calendars_that_are_away_go_on_recurring(world):
    """Months later, from the text that was read last."""
    world.upstream.say(calendar(event("amira", "20260105", "20260106", "RRULE:FREQ=DAILY")))
    world.read()
    world.upstream.say("", status=503)
    world.read(days=200)
    assert (world.holder, "503" in world.status.failed) == ("amira", True)


def test_calendars_of_a_reader_that_starts_anew_stay_in_force(world):
    """What is in the store holds while the server is away."""
    world.read()
    world.upstream.say("", status=503)
    world.reader = world.restarted()
    world.read(minutes=15)
    assert (world.holder, world.status.good_at) == ("amira", NOW)


def test_calendars_that_no_rotation_has_are_forgotten(world):
    """With the rules that had them."""
    world.read()
    files = source_files(CRITICAL, ROTA.replace(CALENDAR, "order: [amira, bo]"))
    rules = load_rule_set(files, now=NOW).rule_set
    world.stored.publish(rules.hash, [(file.name, file.text) for file in files], NOW)
    world.read()
    assert (world.stored.current(), world.states.known()) == (rules.hash, {})


def test_calendars_over_http_are_bounded_and_tagged():
    """The client takes one byte more than is allowed, never all; the tag comes with the text."""
    sink = PageSink()
    try:
        sink.always(Served(body=AMIRA.encode(), headers={"ETag": '"7"'}), path="/c.ics")
        answer = HttpClient(answer_bytes=50).get(sink.url_for("/c.ics"), {"If-None-Match": '"6"'})
        assert (answer.etag, answer.content) == ('"7"', AMIRA.encode()[:50])
        assert sink.expect_attempts(1, path="/c.ics")[0].headers["if-none-match"] == '"6"'
        with pytest.raises(DeliveryError, match="deny_private_urls"):
            HttpClient(deny_private=True).get(sink.url_for("/c.ics"))
    finally:
        sink.close()
