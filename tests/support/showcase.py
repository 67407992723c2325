"""A night at a shop, as a store full of it: what pages have to show when there is much to show, always the same.

It is written by the code of the product alone: alerts through the stream and the decider, people through events. The
clock stands at `NOW` afterwards.
"""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec.structs import replace
from receiver_over_store import Clock
from shop import NOW, ONCALL, RULES, rules_in_force

from incidents import events, keys
from incidents.alert import Alert, fingerprint_of
from incidents.clock import to_ms
from incidents.document.versions import ANY
from incidents.facts import Fact
from incidents.quarantined import Quarantined
from incidents.queues import DECIDE_QUEUE, PAGES_QUEUE
from incidents.store.codec import encode
from incidents.store.connection import Links, client_for
from incidents.store.incidents import Incidents
from incidents.store.intake import Intake
from incidents.store.reaching import attempt_commands
from incidents.store.rulesets import RuleSets
from incidents.store.wake import Waker
from incidents.values import AlertStatus, PageReason, Role
from rules.deciding.deciding import Deciding
from rules.index import identity_key
from rules.slo_status import fact_ids
from workers.decider import Decider

SOURCES = ("prod-eu", "prod-us", "pagerduty")
SERVICES = ("checkout", "search", "ledger", "mail", "edge", "catalogue")
WEEKS = 12


class Showcase:
    """The store while it is filled; `clock` is at the instant of what is written next."""

    def __init__(self, url: str, links: Links) -> None:
        self.links = links
        self.clock = Clock(NOW)
        self.rules = rules_in_force()
        self.incidents = Incidents(links, lambda _: self.rules.oncall)
        self.intake = Intake(links, lambda: None)
        RuleSets(links).publish(self.rules.hash, [("shop.yml", RULES + ONCALL)], NOW - timedelta(hours=5))
        self._decider = Decider(
            url=url,
            owner="one|1|a",
            waker=Waker(client_for(url)),
            deciding_for=lambda _: Deciding(self.rules),
            now=self.clock,
        )

    def fire(self, service: str, name: str, summary: str, *, source: str = "prod-eu", **labels: str) -> Alert:
        """Let an alert fire, decide about it, and return it."""
        every = {"alertname": name, "service": service, "severity": "critical", "environment": "prod"} | labels
        alert = Alert(
            fingerprint=fingerprint_of(every),
            status=AlertStatus.FIRING,
            labels={label: value for label, value in every.items() if value},
            annotations={
                "summary": summary,
                "runbook_url": f"https://runbooks.example/{service}",
                "dashboard_url": f"https://grafana.example/d/{service}",
            },
            starts_at=self.clock.now - timedelta(seconds=40),
            generator_url=f"https://prometheus.example/graph?g0.expr={service}_errors",
        )
        self._send(alert, source)
        return alert

    def clear(self, alert: Alert, source: str = "prod-eu") -> None:
        """Let an alert end."""
        self._send(replace(alert, status=AlertStatus.RESOLVED, ends_at=self.clock.now), source)

    def _send(self, alert: Alert, source: str) -> None:
        self.intake.append_alerts(source=source, alerts=[alert], received_at=self.clock.now)
        self.decide()

    def decide(self) -> None:
        """Decide about everything that waits."""
        self._decider.linger(timedelta(milliseconds=5))

    def open_of(self, **identity: str) -> str:
        """Return the id of the open incident of an identity."""
        with self.links.borrow() as link:
            pointer = link.one("GET", keys.identity(identity_key(identity)))
        return str(pointer.decode().rpartition(":")[0])

    def at(self, when: datetime, name: str, *happened: object) -> None:
        """Let something happen to an incident at an instant."""
        self.clock.now = when
        for event in happened:
            self.incidents.apply(name, event, now=when)  # type: ignore[arg-type] # any event of the domain

    def paged(self, when: datetime, name: str, *, failed: str = "") -> str:
        """Let the first page of an incident that is due reach whom it is for, or fail; return who that is."""
        with self.links.borrow() as link:
            due = [each.decode() for each in link.one("ZRANGE", keys.pages_due(), 0, -1)]
        page_id = next(each for each in due if each.startswith(f"{name}."))
        person = page_id.rpartition(".")[2]
        common: dict[str, Any] = {"page_id": page_id, "person": person, "channel": "phone", "kind": "pagerduty"}
        event: events.PageDelivered | events.PageFailed
        also = []
        if failed:
            again = when + timedelta(seconds=15)
            event = events.PageFailed(**common, attempt=1, error=failed, again_at=again)
        else:
            event = events.PageDelivered(**common, attempt=1, repeat=False, reason=PageReason.DECLARED, answer="202")
            also = [("ZREM", keys.pages_due(), page_id), ("DEL", keys.page(page_id))]
        self.clock.now = when
        self.incidents.apply(name, event, now=when, also=[*attempt_commands(event, when), *also])
        return person


def last_weeks(show: Showcase) -> None:
    """Incidents of the last twelve weeks, each resolved or dismissed by whoever was on call."""
    chance = random.Random(11)
    kinds = [
        ("ErrorBudgetBurn", {"burn": "fast"}, 6), ("CheckoutErrors", {"customer_facing": "true"}, 10),
        ("DiskFillsSoon", {}, 9), ("SlowAnswers", {"customer_facing": "true"}, 14),
    ]  # fmt: skip
    for number in range(3 * WEEKS):
        name, labels, minutes = chance.choice(kinds)
        service = chance.choice(SERVICES)
        begun = NOW - timedelta(days=(3 * WEEKS - number) * 7 / 3, hours=chance.randint(0, 20), minutes=number)
        show.clock.now = begun
        alert = show.fire(service, name, f"{service} is not well", **labels)
        if name == "DiskFillsSoon":
            show.clock.now = begun + timedelta(minutes=10)
            show.decide()
        incident = show.open_of(service=service)
        who = show.paged(show.clock.now + timedelta(seconds=2), incident)
        taken = show.clock.now + timedelta(minutes=chance.randint(1, minutes), seconds=chance.randint(0, 59))
        show.at(taken, incident, events.Acknowledge(actor=who))
        over = taken + timedelta(minutes=chance.randint(minutes, 6 * minutes))
        show.clock.now = over - timedelta(seconds=50)
        show.clear(alert)
        if chance.random() < 0.12:
            show.at(over, incident, events.Dismiss(actor=who, reason="a test of the load balancer"))
        else:
            show.at(over - timedelta(seconds=20), incident, events.Mitigate(actor=who, note=""))
            show.at(over, incident, events.Resolve(actor=who, note="seen to work", override="watched for a while"))


def resolved(show: Showcase) -> str:
    """Return an incident of yesterday that is over, with all that people did about it."""
    begun = datetime(2026, 11, 2, 13, 2, 11, tzinfo=UTC)
    show.clock.now = begun
    alert = show.fire("mail", "QueueGrows", "Mails wait for 40 minutes", customer_facing="true")
    name = show.open_of(service="mail")
    show.paged(begun + timedelta(seconds=3), name)
    for seconds, event in (
        (190, events.Acknowledge(actor="bo", note="")),
        (
            260,
            events.DocumentEdited(
                actor="bo", seen=ANY, summary="Mails of about 12,000 customers come up to 40 minutes late."
            ),
        ),
        (300, events.RoleGiven(actor="bo", role=Role.COMMUNICATIONS, person="chidi")),
        (310, events.RoleGiven(actor="bo", role=Role.ENGINEER, person="dana")),
        (420, events.Communicated(actor="chidi", audience="customers", text="Mails of ours come late. None is lost.")),
        (
            900,
            events.Note(actor="dana", text="One of two workers was stopped for a migration, and never started again."),
        ),
        (1080, events.ActionTaken(actor="dana", action="restart", text="The second worker of the queue runs again")),
    ):
        show.at(begun + timedelta(seconds=seconds), name, event)
    show.clock.now = begun + timedelta(seconds=1700)
    show.clear(alert)
    show.at(begun + timedelta(seconds=1740), name, events.Mitigate(actor="bo", note="The queue is empty"))
    show.at(
        begun + timedelta(seconds=2700),
        name,
        events.Resolve(actor="bo", override="The queue stayed empty for a quarter of an hour"),
    )
    for text, owner, due in (
        ("Alert when a worker of the queue is missing", "dana", date(2026, 11, 16)),
        ("Start what a migration stopped, in its last step", "chidi", date(2026, 11, 23)),
    ):
        written = events.PostIncidentActionWritten(actor="bo", text=text, owner=owner, due=due)
        show.at(begun + timedelta(hours=2), name, written)
    return name


def tonight(show: Showcase) -> str:
    """Return the incident that nobody has taken yet; two others are on their way to an end."""
    show.clock.now = NOW - timedelta(minutes=73)
    show.fire("search", "SlowAnswers", "Search answers in four seconds", customer_facing="true", source="prod-us")
    search = show.open_of(service="search")
    show.paged(show.clock.now + timedelta(seconds=1), search)
    show.at(NOW - timedelta(minutes=70), search, events.Acknowledge(actor="chidi", note="looking at the index"))
    show.at(NOW - timedelta(minutes=31), search, events.Mitigate(actor="chidi", note="back to the index of yesterday"))
    show.clock.now = NOW - timedelta(minutes=52)
    show.fire("ledger", "DiskFillsSoon", "The disk of ledger-db-2 is full in nine hours", instance="ledger-db-2")
    show.clock.now = NOW - timedelta(minutes=42)
    show.decide()
    disk = show.open_of(service="ledger")
    show.paged(show.clock.now + timedelta(seconds=1), disk)
    show.at(NOW - timedelta(minutes=37), disk, events.Acknowledge(actor="dana"))
    show.at(
        NOW - timedelta(minutes=35), disk, events.RoleGiven(actor="dana", role=Role.ENGINEER_IN_CHARGE, person="dana")
    )
    return checkout(show)


def checkout(show: Showcase) -> str:
    """Let the checkout fail three and a half minutes ago: the first page could not be delivered at once."""
    show.clock.now = NOW - timedelta(minutes=3, seconds=34)
    show.fire("checkout", "ErrorBudgetBurn", "The error budget of checkout-orders burns 36 times too fast", burn="fast")
    incident = show.open_of(service="checkout")
    show.paged(show.clock.now + timedelta(seconds=1), incident, failed="502, the gateway is away")
    show.clock.now = NOW - timedelta(minutes=3, seconds=21)
    for zone in ("a", "b", "c"):
        show.fire(
            "checkout",
            "CheckoutErrors",
            "33 % of orders answer 500",
            instance=f"checkout-{zone}",
            customer_facing="true",
        )
    show.paged(NOW - timedelta(minutes=3, seconds=17), incident)
    show.clock.now = NOW - timedelta(minutes=2, seconds=2)
    show.fire("checkout", "PaymentsDeclined", "The bank declines more than usual", severity="warning")
    show.at(
        NOW - timedelta(minutes=1, seconds=8),
        incident,
        events.Note(actor="dana", text="The deploy of 03:05 changed the client of the bank; I am looking at it."),
    )
    show.clock.now = NOW
    return incident


def told(show: Showcase, name: str) -> None:
    """Let people take an incident, write, and tell those who have to know."""
    for seconds, event in (
        (20, events.Acknowledge(actor="bo", note="")),
        (55, events.RoleGiven(actor="bo", role=Role.ENGINEER_IN_CHARGE, person="dana")),
        (80, events.RoleGiven(actor="bo", role=Role.COMMUNICATIONS, person="chidi")),
        (
            150,
            events.DocumentEdited(
                actor="bo", seen=ANY, status_report="The deploy of 03:05 is rolled back. Orders recover."
            ),
        ),
        (170, events.ActionTaken(actor="dana", action="rollback", text="checkout back to 2026.44.1")),
        (
            200,
            events.Communicated(
                actor="chidi",
                audience="customers",
                text="Some payments fail since 04:06. We know the cause, and are mending it. Nothing is charged twice.",
            ),
        ),
        (210, events.TaskGiven(actor="bo", text="Ask the bank whether orders were charged twice", person="dana")),
    ):
        show.at(NOW + timedelta(seconds=seconds), name, event)


def further(show: Showcase) -> None:
    """What the other pages show: error budgets, who works, something in quarantine."""
    ratios = {
        "checkout-orders": (0.036, 0.00058),
        "search-answers": (0.0031, 0.0028),
        "ledger-writes": (0.00002, 0.00003),
    }
    with show.links.borrow() as link:
        for slo in show.rules.slos.values():
            for name, ratio in zip(fact_ids([slo]), ratios[slo.id], strict=True):
                link.one("HSET", keys.facts(), name, encode(Fact(id=name, at=NOW, value=ratio)))
        for queue in (DECIDE_QUEUE, PAGES_QUEUE):
            link.one("HSET", keys.workers_seen(), queue, to_ms(NOW))
        for source, seconds in zip(SOURCES, (9, 22, 340), strict=True):
            link.one("HSET", keys.sources_heard(), source, to_ms(NOW - timedelta(seconds=seconds)))


def quarantined(show: Showcase) -> None:
    """Something that could not be processed."""
    item = Quarantined(
        id="q1762133005000-0-1", at=NOW - timedelta(minutes=2), source="prod-us",
        reason="/alerts/3/startsAt: '2026-02-30T03:00:00Z' is no instant",
        text='{"status":"firing","labels":{"alertname":"NodeDown","instance":"edge-7"},"startsAt":"2026-02-30T03:00:00Z"}',
    )  # fmt: skip
    with show.links.borrow() as link:
        link.one("HSET", keys.quarantine(), item.id, encode(item))
