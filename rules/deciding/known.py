"""What is known of one event when a rule judges it: answers out of what was loaded for the batch. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from incidents.facts import Fact
from incidents.incident import Incident
from rules.deciding.view import View
from rules.index import Hit
from rules.slos import Slo
from rules.verdicts import Counted


class Known(NamedTuple):
    """What is known of one event when a rule judges it."""

    firing_since: datetime | None
    silent_since: datetime | None
    touched_at: datetime | None
    incident: Incident | None
    view: View
    hit: Hit

    def count(self, within: timedelta) -> int:
        """Return how many different alerts (or actions) of the rule and identity there were within a span."""
        return self.view.windows.count(self.hit, within)

    def distinct(self, label: str, within: timedelta) -> int:
        """Return how many different values of a label there were among them."""
        return self.view.windows.distinct(self.hit, label, within)

    def flaps(self, within: timedelta) -> int:
        """Return how many changes between firing and resolved there were."""
        return self.view.windows.flaps(self.hit, within)

    def leaves(self, asked: Counted) -> datetime:
        """Return the first instant at which a number that was reached may be below it again."""
        return self.view.windows.leaves(self.hit, asked)

    @property
    def slos(self) -> Mapping[str, Slo]:
        """The SLOs of the rule set by id."""
        return self.view.slos

    def fact(self, name: str) -> Fact | None:
        """Return the last answer of Prometheus to a question."""
        return self.view.fact(name)

    def want(self, promql: str) -> None:
        """Ask for a question to be asked for a while."""
        self.view.want(promql)
