"""Announces the end of maintenance that holds no incident: what it holds is announced with each incident.

It pages nobody and changes no incident. A thread beside the facts worker, one of an installation.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import structlog

from incidents import keys
from incidents.clock import to_ms
from incidents.errors import StoreUnavailable, TocsinError
from incidents.maintenance import REMIND_BEFORE, Hold
from incidents.notices import notices
from incidents.overrides import rules_of
from incidents.page import CHANNEL_PREFIX
from incidents.store.commit import page_commands
from incidents.store.connection import Links, checked
from incidents.store.maintenance import held, planned
from rules.model import RuleSet

LOG = structlog.get_logger()

EVERY_SECONDS = 15.0
REMEMBERED_SECONDS = 3600


class Reminding:
    """Looks at what is planned every 15 seconds. `start` and `pause` make its thread."""

    def __init__(self, *, links: Links, rule_set: Callable[[], RuleSet], now: Callable[[], datetime]) -> None:
        self._links = links
        self._rule_set = rule_set
        self._now = now
        self._thread: threading.Thread | None = None
        self._paused = threading.Event()

    def start(self) -> None:
        """Look from now on, in a thread of its own; does nothing while it does already."""
        if self._thread is None or not self._thread.is_alive():
            self._paused.clear()
            self._thread = threading.Thread(target=self._run, name="reminding", daemon=True)
            self._thread.start()

    def pause(self) -> None:
        """Stop looking; what is under way is not waited for."""
        self._paused.set()

    def _run(self) -> None:
        while not self._paused.wait(EVERY_SECONDS):
            try:
                self.step()
            except StoreUnavailable as error:
                LOG.warning("store_away", error=str(error))
            except (TocsinError, ValueError) as error:
                LOG.error("maintenance_not_announced", error=str(error))  # noqa: TRY400 - the text says all there is

    def step(self) -> None:
        """Announce each end that is near and was not announced yet."""
        rule_set, now = self._rule_set(), self._now()
        if not rule_set.oncall.announce:
            return
        ending = list(_ending(rule_set, self._links, now))
        holding = held(self._links) if ending else {}
        for hold in ending:
            if hold.id not in holding:
                self._announce(hold, rule_set, now)

    def _announce(self, hold: Hold, rule_set: RuleSet, now: datetime) -> None:
        key, end = keys.maintenance_reminded(hold.id), str(to_ms(hold.until))
        text = f"Maintenance {hold.id} ends at {hold.until:%Y-%m-%d %H:%M %Z}; it holds no incident"
        told = [CHANNEL_PREFIX + name for name in rule_set.oncall.announce]
        pages = notices(f"{hold.id}-{end}", text, told, rule_set.oncall, rules_of(rule_set.hash), now)
        with self._links.borrow() as link:
            known = link.one("GET", key)
            if known is not None and known.decode() == end:
                return
            remember = ("SET", key, end, "EX", REMEMBERED_SECONDS)
            checked(link.ask([("MULTI",), remember, *page_commands(pages), ("EXEC",)]))


def _ending(rule_set: RuleSet, links: Links, now: datetime) -> Iterator[Hold]:
    """Give what is in force and ends soon; what is shorter than that is not announced."""
    for each in (*rule_set.maintenance, *planned(links)):
        hold = None if each.is_endless else each.hold_at(now)
        if hold is not None and now >= hold.until - REMIND_BEFORE > hold.start:
            yield hold
