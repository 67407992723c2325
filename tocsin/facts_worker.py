"""Puts a facts worker together; beside it, in threads, the journal is written and incidents archived."""

from incidents.calendars import MOST_BYTES
from incidents.clock import utc_now
from incidents.queues import FACTS_QUEUE
from incidents.store.archive import Kept
from incidents.store.calendars import CalendarStates
from incidents.store.connection import Link, Links, client_for
from incidents.store.facts import FactStore
from incidents.store.intake import Intake
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from tocsin.rulebook import RuleBook
from tocsin.settings import PrometheusSettings, Settings
from tocsin.working import new_owner, work
from workers.asking import Asking
from workers.calendars import Calendars
from workers.channels.http import HttpClient
from workers.facts import Facts
from workers.journaling import Journaling
from workers.keeping import Keeper
from workers.prometheus import Prometheus
from workers.reminding import Reminding
from workers.runtime import RUNTIME

CALENDAR_SECONDS = 20.0


def run(settings: Settings, url: str) -> int:
    """Ask others what they know, and write the journal, until told to stop; return the exit code."""
    links = Links(url, scripts=ALL)
    waker = Waker(client_for(url))
    intake = Intake(links, waker.decider)
    facts = Facts(
        links=links,
        intake=intake,
        waker=waker,
        owner=new_owner(),
        alertmanagers={each.source: each.url for each in settings.alertmanagers},
        now=utc_now,
        beside=[
            _calendars(links, deny_private=settings.deny_private_urls),
            Reminding(links=links, rule_set=RuleBook(RuleSets(links)).current, now=utc_now),
            *([_asking(settings.prometheus, links, intake)] if settings.prometheus is not None else []),
        ],
    )
    RUNTIME.install("facts", facts)
    journaling = Journaling(
        url=url, owner=new_owner(), directory=settings.journal_dir, keep=settings.retention.journal, now=utc_now
    )
    journaling.start()
    kept = Kept(plain=settings.retention.archive, whole=settings.retention.incidents)
    keeper = Keeper(Link(url), owner=new_owner(), kept=kept, now=utc_now)
    keeper.start()
    try:
        return work(FACTS_QUEUE, url)
    finally:
        keeper.stop()
        journaling.stop()


def _calendars(links: Links, *, deny_private: bool) -> Calendars:
    stored = RuleSets(links)
    return Calendars(
        rule_set=RuleBook(stored).current,
        stored=stored,
        states=CalendarStates(links),
        client=HttpClient(answer_seconds=CALENDAR_SECONDS, answer_bytes=MOST_BYTES + 1, deny_private=deny_private),
        now=utc_now,
    )


def _asking(prometheus: PrometheusSettings, links: Links, intake: Intake) -> Asking:
    token = prometheus.token.reveal() if prometheus.token is not None else ""
    return Asking(
        prometheus=lambda: Prometheus(prometheus.url, token),
        rule_set=RuleBook(RuleSets(links)).current,
        store=FactStore(links),
        intake=intake,
        least=prometheus.every,
        now=utc_now,
    )
