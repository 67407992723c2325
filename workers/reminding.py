"""Announces the end of maintenance that holds no incident: what it holds is announced with each incident.

It pages nobody and changes no incident. A thread beside the facts worker, one of an installation.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

import structlog

from incidents import keys
from incidents.clock import to_ms
from incidents.maintenance import REMIND_BEFORE, Hold
from incidents.notices import notices
from incidents.overrides import rules_of
from incidents.page import CHANNEL_PREFIX
from incidents.store.commit import page_commands
from incidents.store.connection import Links, checked
from incidents.store.maintenance import held, planned
from rules.model import RuleSet
from workers.stepping import Stepping

LOG = structlog.get_logger()

EVERY_SECONDS = 15.0
REMEMBERED_SECONDS = 3600


class Reminding(Stepping):
    """Looks at what is planned every 15 seconds."""

    def __init__(self, *, links: Links, rule_set: Callable[[], RuleSet], now: Callable[[], datetime]) -> None:
        super().__init__("reminding", seconds=EVERY_SECONDS, failed="maintenance_not_announced")
        self._links = links
        self._rule_set = rule_set
        self._now = now

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
