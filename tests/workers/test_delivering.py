"""The page worker over real channels: bundles, limits, the lifecycle at PagerDuty, announcements, steps to channels."""

import threading
from datetime import timedelta

import pytest
from desk import Desk
from page_sink import Answer, PageSink
from pagerduty_look_alike import KEY, PATH, PagerDutyLookAlike, pagerduty
from programs import eventually
from slack_look_alike import SlackLookAlike, slack

from incidents import keys
from incidents.errors import StoreUnavailable
from incidents.events import Acknowledge, Escalate, Reopen, Resolve
from incidents.store.connection import Link, Links
from incidents.store.pages import CLAIM_FOR, claim
from incidents.store.reaching import last_attempts
from incidents.values import Severity
from workers.buckets import Buckets, Rate
from workers.delivering import Deliveries
from workers.dispatch import Dispatcher

__all__ = ["pagerduty", "slack"]

ROTATION = """
rotations:
  commanders: {{timezone: UTC, order: [amira]}}
roles:
  incident_commander: {{rotation: commanders}}
"""


class Keyless(Link):
    """A link that is lost when the key of the links is asked for, the first time."""

    is_lost = False

    def ask(self, commands, **options):
        if not self.is_lost and any(keys.links_key() in command for command in commands):
            self.is_lost = True
            raise StoreUnavailable("the store closed the connection")
        return super().ask(commands, **options)


@pytest.fixture
def desk_of(store_url: str, links: Links):
    """Build a desk from the text of its rule file."""
    return lambda oncall: Desk(store_url, links, oncall)


@pytest.fixture
def hooked(desk_of, page_sink: PageSink) -> Desk:
    """Amira has two webhooks."""
    first, second = page_sink.url_for("/amira"), page_sink.url_for("/amira-second").replace("127.0.0.1", "localhost")
    people = f'people: {{amira: {{channels: [{{webhook: {{url: "{first}"}}}}, {{webhook: {{url: "{second}"}}}}]}}}}'
    return desk_of(people + ROTATION.replace("{{", "{").replace("}}", "}"))


@pytest.fixture
def with_pagerduty(desk_of, page_sink: PageSink, pagerduty: PagerDutyLookAlike) -> Desk:
    """Amira has a webhook, then PagerDuty; a team that lives in PagerDuty is the second step."""
    url = page_sink.url_for("/amira")
    options = f'{{routing_key: {KEY}, url: "{pagerduty.events_url}"}}'
    return desk_of(f"""
people:
  amira: {{channels: [{{webhook: {{url: "{url}"}}}}, {{pagerduty: {options}}}]}}
channels:
  team-pagerduty: {{pagerduty: {options}}}
paging:
  default: {{steps: [{{page: amira, acknowledge_within: 5m}}, {{page: ["channel:team-pagerduty"]}}]}}
""")


def test_pages_for_the_same_person_soon_after_another_are_one_message(hooked: Desk, page_sink: PageSink):
    """The first goes at once, alone; those of the next five seconds come as one, under the key of its first."""
    dispatcher = Dispatcher()
    worker = hooked.worker(dispatcher)

    def work():
        worker.linger(timedelta(seconds=0.15))
        hooked.link.one("DEL", keys.pager_lingers())

    first = hooked.declare("a")
    work()
    page = page_sink.expect_message(path="/amira", dedup_key=first.dedup_key)
    assert [one["id"] for one in page["incidents"]] == [first.id]
    later = [hooked.declare(service) for service in ("b", "c", "d")]
    work()
    assert page_sink.unclaimed() == []
    hooked.now += timedelta(seconds=5, milliseconds=10)
    work()
    page = page_sink.expect_message(path="/amira", attempt=1, repeat=False)
    assert [one["id"] for one in page["incidents"]] == [one.id for one in later]
    assert page["dedup_key"] == later[0].dedup_key
    assert all(one.id in page["text"] for one in later)
    for incident in (first, *later):
        assert hooked.kinds(incident.id)[-1] == "page_sent"
    assert hooked.counter("pages_total|webhook|accepted") == 4
    assert hooked.link.one("ZCARD", keys.pages_due()) == 0
    dispatcher.close(1)


def test_pages_that_come_together_are_one_message_at_once(hooked: Desk, page_sink: PageSink):
    """Nobody waits five seconds for what is there already; what fails is tried again as one."""
    page_sink.script(503, path="/amira")
    incidents = [hooked.declare(service) for service in ("a", "b")]
    hooked.work()
    hooked.now += timedelta(seconds=3)
    hooked.work()
    page = page_sink.expect_message(path="/amira", attempt=2)
    assert [one["id"] for one in page["incidents"]] == [one.id for one in incidents]


def test_pages_that_a_dead_worker_may_have_sent_bear_the_same_key_again(hooked: Desk, page_sink: PageSink):
    """What has come meanwhile joins the bundle, and does not lead it: its provider knows the key of the first."""
    first, second = hooked.declare("a"), hooked.declare("b")
    assert len(claim(hooked.link, "host|2|dead", hooked.now).pages) == 2
    hooked.now += timedelta(seconds=16)
    joined = hooked.declare("c")
    hooked.work()
    page = page_sink.expect_message(path="/amira", repeat=True, dedup_key=first.dedup_key)
    assert [one["id"] for one in page["incidents"]] == [first.id, second.id, joined.id]


def test_page_that_could_not_be_written_is_sent_once_its_claim_is_over(hooked: Desk, page_sink: PageSink):
    """The store goes away between the claim and the key of the link: it is not taken for one that is being sent."""
    dispatcher = Dispatcher()
    deliveries = Deliveries(
        link=Keyless(hooked.url),
        incidents=hooked.incidents,
        oncall=lambda _: hooked.rules.oncall,
        dispatcher=dispatcher,
        external_url="http://tocsin.example",
        now=lambda: hooked.now,
    )
    incident = hooked.declare("a")
    with pytest.raises(StoreUnavailable):
        deliveries.send(claim(hooked.link, "host|1|a", hooked.now).pages, hooked.now)
    hooked.now += CLAIM_FOR + timedelta(seconds=1)
    deliveries.send(claim(hooked.link, "host|1|a", hooked.now).pages, hooked.now)
    page_sink.expect_message(path="/amira", dedup_key=incident.dedup_key, attempt=2, repeat=True)
    eventually(lambda: not dispatcher.pending, what="the answer of the sink")
    deliveries.record(0)
    assert hooked.link.one("ZCARD", keys.pages_due()) == 0


def test_pages_of_a_storm_wait_five_seconds_and_no_longer(hooked: Desk, page_sink: PageSink):
    """More than are claimed at once go out as several messages, one after the other."""
    dispatcher = Dispatcher()
    worker = hooked.worker(dispatcher)
    hooked.declare("first")
    worker.linger(timedelta(seconds=0.1))
    for number in range(120):
        hooked.declare(f"s{number}")
    worker.linger(timedelta(seconds=0.3))
    hooked.now += timedelta(seconds=5, milliseconds=10)

    def are_all_sent() -> bool:
        worker.linger(timedelta(seconds=0.1))
        return not hooked.link.one("ZCARD", keys.pages_due())

    eventually(are_all_sent)
    dispatcher.close(1)
    sizes = [len(page_sink.expect_message(path="/amira")["incidents"]) for _ in range(4)]
    assert sizes == [1, 50, 50, 20]


def test_page_that_was_held_and_is_needless_is_not_sent(hooked: Desk, page_sink: PageSink):
    """Somebody acknowledged while it waited for the bundle."""
    dispatcher = Dispatcher()
    worker = hooked.worker(dispatcher)
    first, second = hooked.declare("a"), None
    worker.linger(timedelta(seconds=0.1))
    second = hooked.declare("b")
    worker.linger(timedelta(seconds=0.1))
    hooked.incidents.apply(second.id, Acknowledge(actor="bo"), now=hooked.now)
    hooked.now += timedelta(seconds=6)
    worker.linger(timedelta(seconds=0.1))
    dispatcher.close(1)
    page_sink.expect_message(path="/amira", dedup_key=first.dedup_key)
    assert hooked.kinds(second.id)[-1] == "page_suppressed"


def test_page_whose_provider_has_no_room_goes_to_the_next_channel(hooked: Desk, page_sink: PageSink):
    """Where waiting would take longer than the step has left; nothing is counted as an attempt."""
    buckets = Buckets(lambda: 0.0, {"webhook": Rate(0.001, 1.0)})
    buckets.wait("webhook", f"127.0.0.1:{page_sink.port}")
    hooked.dispatcher = Dispatcher(buckets=buckets)
    incident = hooked.declare()
    hooked.work()
    page_sink.expect_message(path="/amira-second", attempt=1, repeat=False)
    assert [kind for kind in hooked.kinds(incident.id) if kind.startswith("page_")] == ["page_sent"]


def test_page_whose_provider_has_room_soon_waits_for_it(hooked: Desk, page_sink: PageSink):
    """A wait that the step can afford stays on the channel."""
    hooked.dispatcher = Dispatcher(buckets=Buckets(lambda: 0.0, {"webhook": Rate(1.0, 0.0)}))
    hooked.declare()
    hooked.work()
    hooked.dispatcher = None
    hooked.now += timedelta(seconds=1, milliseconds=10)
    hooked.work()
    page_sink.expect_message(path="/amira", attempt=1, repeat=False)


def test_page_with_a_long_retry_after_goes_to_the_next_channel(hooked: Desk, page_sink: PageSink):
    """A step of which less is left than the provider asks for is not delayed."""
    page_sink.script(Answer(429, {"Retry-After": "60"}), path="/amira")
    incident = hooked.declare()
    hooked.now += timedelta(minutes=4, seconds=30)
    hooked.work()
    page_sink.expect_message(path="/amira-second")
    entry = next(one for one in hooked.timeline(incident.id) if one.kind == "page_failed")
    assert entry.data["verdict"] == "retry"


def test_pagerduty_hears_of_acknowledgement_and_end(
    with_pagerduty: Desk, pagerduty: PagerDutyLookAlike, page_sink: PageSink
):
    """Whichever channel reached the person, and whatever the team's channel was told."""
    desk = with_pagerduty
    incident = desk.declare()
    desk.work()
    page_sink.expect_message(path="/amira")
    desk.now += timedelta(minutes=6)
    desk.work()
    pagerduty.expect_event("trigger", dedup_key=incident.dedup_key)
    sent = [one for one in desk.timeline(incident.id) if one.kind == "page_sent"][-1]
    assert (sent.data["provider_id"], sent.data["verdict"]) == (incident.dedup_key, "accepted")
    desk.incidents.apply(incident.id, Acknowledge(actor="bo"), now=desk.now)
    desk.work()
    assert pagerduty.alerts == {incident.dedup_key: "acknowledged"}
    desk.incidents.apply(incident.id, Resolve(actor="bo"), now=desk.now)
    desk.work()
    assert pagerduty.alerts == {incident.dedup_key: "resolved"}
    page_sink.expect_message(path="/amira", type="page_resolved")
    for action in ("acknowledge", "acknowledge", "resolve", "resolve"):  # Amira's own, and the team's
        pagerduty.expect_event(action, dedup_key=incident.dedup_key)
    assert desk.link.one("ZCARD", keys.pages_due()) == 0


def test_worker_records_what_is_under_way_when_its_time_is_over(desk_of, pagerduty: PagerDutyLookAlike):
    """The next to linger may be another worker: a result left behind would be a page that is sent twice."""
    desk = desk_of(f"""
channels: {{pd: {{pagerduty: {{routing_key: {KEY}, url: "{pagerduty.events_url}"}}}}}}
paging: {{default: {{steps: [{{page: "channel:pd"}}]}}}}
""")
    pagerduty.script(Answer(202, body=b'{"status":"success"}', delay=0.4), path=PATH)
    desk.declare()
    worker = desk.worker(Dispatcher())
    worker.linger(timedelta(seconds=0.1))
    assert not desk.link.one("ZCARD", keys.pages_claimed())
    pagerduty.expect_event("trigger")


def test_pagerduty_that_took_a_page_too_late_hears_that_it_is_over(desk_of, pagerduty: PagerDutyLookAlike):
    """A trigger that was under way when the incident was resolved must not go on paging there."""
    desk = desk_of(f"""
channels: {{pd: {{pagerduty: {{routing_key: {KEY}, url: "{pagerduty.events_url}"}}}}}}
paging: {{default: {{steps: [{{page: "channel:pd"}}]}}}}
""")
    pagerduty.script(Answer(202, body=b'{"status":"success"}', delay=0.4), path=PATH)
    incident = desk.declare()
    dispatcher = Dispatcher()
    worker = desk.worker(dispatcher)
    lingering = threading.Thread(target=worker.linger, args=(timedelta(seconds=2),))
    lingering.start()
    pagerduty.expect_attempts(1, path=PATH)
    desk.incidents.apply(incident.id, Resolve(actor="bo"), now=desk.now)
    lingering.join(30)
    dispatcher.close(1)
    pagerduty.expect_event("trigger")
    pagerduty.expect_event("resolve")
    pagerduty.expect_event("resolve")


def test_pagerduty_is_not_resolved_when_the_incident_was_reopened(desk_of, pagerduty: PagerDutyLookAlike):
    """News that came too late to be true is not told."""
    desk = desk_of(f"""
channels: {{pd: {{pagerduty: {{routing_key: {KEY}, url: "{pagerduty.events_url}"}}}}}}
paging: {{default: {{steps: [{{page: "channel:pd"}}]}}}}
""")
    incident = desk.declare()
    desk.work()
    desk.incidents.apply(incident.id, Resolve(actor="bo"), now=desk.now)
    desk.incidents.apply(incident.id, Reopen(actor="bo"), now=desk.now)
    desk.work()
    assert pagerduty.alerts == {incident.dedup_key: "triggered"}
    pagerduty.expect_event("trigger")
    pagerduty.expect_event("trigger")


def test_announcements_go_to_the_named_channels(desk_of, slack: SlackLookAlike, page_sink: PageSink):
    """Declared, severity and status; they ask for nothing, and are no pages on the timeline."""
    url = page_sink.url_for("/amira")
    desk = desk_of(f"""
people: {{amira: {{channels: [{{webhook: {{url: "{url}"}}}}]}}}}
channels: {{incidents-slack: {{slack: {{webhook_url: "{slack.webhook_url}"}}}}}}
paging: {{default: {{steps: [{{page: amira}}]}}}}
announce: [incidents-slack]
""")
    incident = desk.declare(severity=Severity.SEV3)
    desk.work()
    said = slack.expect_message(containing="(SEV3) Down")
    assert said["text"].startswith(f"{incident.id} (SEV3) Down: ")
    desk.incidents.apply(incident.id, Escalate(actor="bo", severity=Severity.SEV1), now=desk.now)
    desk.incidents.apply(incident.id, Acknowledge(actor="bo"), now=desk.now)
    desk.work()
    slack.expect_message(containing="Acknowledged by bo")
    slack.expect_message(containing="SEV1")
    desk.incidents.apply(incident.id, Resolve(actor="bo"), now=desk.now)
    desk.work()
    slack.expect_message(containing="Resolved by bo")
    page_sink.expect_message(path="/amira")
    page_sink.expect_message(path="/amira", type="page_resolved")
    assert desk.kinds(incident.id).count("page_sent") == 1


def test_last_attempt_over_a_channel_is_remembered(hooked: Desk, page_sink: PageSink, links: Links):
    """A failure with its reason; the next success over the same channel takes its place."""
    page_sink.script(Answer(404), path="/amira")
    first = hooked.declare("a")
    hooked.work()
    page_sink.expect_attempts(1, path="/amira")
    page_sink.expect_message(path="/amira-second", dedup_key=first.dedup_key)
    attempts = last_attempts(links)
    assert "404" in attempts["amira/1"].failed
    assert attempts["amira/2"].failed == ""
