"""The measures that are kept in the store: their names, labels and buckets, and how one is counted. Pure.

They are counted in the commit that makes the thing happen, so they are exact across processes, hosts and crashes.
A field of the counters' hash is `NAME|VALUE|VALUE`; of a histogram also `NAME|VALUE|le:BOUND`, `NAME|VALUE|sum`
(whole milliseconds) and `NAME|VALUE|count`.
"""

from collections import Counter
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

SEPARATOR = "|"


class Measure(NamedTuple):
    """One measure: its name without the prefix, help, labels and, for a histogram of seconds, bounds of its buckets."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


NO_KIND = "none"  # the kind of channel of pages that none was asked to deliver
LIFECYCLE_BUCKETS = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0, 86400.0, 259200.0)
DELAY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Measures(Enum):
    """Every measure that is kept in the store."""

    ALERTS_RECEIVED = Measure("alerts_received_total", "Alerts accepted, by source and status.", ("source", "status"))
    EVENTS_RECEIVED = Measure("events_received_total", "Events accepted into the stream or committed at once.")
    EVENTS = Measure("events_total", "Events that took effect, by outcome.", ("outcome",))
    ALERTS_TRUNCATED = Measure(
        "alerts_truncated_total", "Alerts that senders cut off their notifications.", ("source",)
    )
    RULE_DECISIONS = Measure("rule_decisions_total", "Decisions of a rule that matched.", ("rule", "outcome"))
    RULE_ERRORS = Measure("rule_errors_total", "Evaluations of a rule that raised an error.", ("rule",))
    DECLARED = Measure("incidents_declared_total", "Incidents declared.", ("rule", "criterion", "severity"))
    CLOSED = Measure("incidents_closed_total", "Incidents closed.", ("rule", "outcome"))
    TO_DETECT = Measure(
        "incident_time_to_detect_seconds",
        "From the start of the alert to declared.",
        ("severity",),
        LIFECYCLE_BUCKETS,
    )
    TO_ACKNOWLEDGE = Measure(
        "incident_time_to_acknowledge_seconds", "From declared to acknowledged.", ("severity",), LIFECYCLE_BUCKETS
    )
    TO_MITIGATE = Measure(
        "incident_time_to_mitigate_seconds", "From declared to mitigated.", ("severity",), LIFECYCLE_BUCKETS
    )
    TO_RESOLVE = Measure(
        "incident_time_to_resolve_seconds", "From declared to resolved.", ("severity",), LIFECYCLE_BUCKETS
    )
    PAGES = Measure("pages_total", "Attempts to deliver a page.", ("channel", "outcome"))
    PEOPLE_PAGED = Measure(
        "people_paged_total", "Pages that reached a person, by the time of that person's day.", ("time",)
    )
    PAGES_HELD = Measure("pages_suppressed_total", "Pages that were held back, by reason.", ("reason",))
    PAGE_DELAY = Measure(
        "page_delay_seconds", "From the event received to the page accepted by its provider.", (), DELAY_BUCKETS
    )
    SHADOW = Measure(
        "shadow_incidents_total", "Incidents that rules in shadow mode would have declared.", ("rule", "severity")
    )
    JOURNAL_MISSED = Measure("journal_missed_events_total", "Events that took effect and no journal tells of.")
    STEPS_REPAIRED = Measure("paging_steps_repaired_total", "Paging steps that were missing, and were set again.")
    TIMER_LATENESS = Measure("timer_lateness_seconds", "How late due timers ran.", (), DELAY_BUCKETS)

    @lru_cache(maxsize=4096)
    def field(self, *values: str) -> str:
        """Return the field of the counters' hash for these label values."""
        return SEPARATOR.join((self.value.name, *values))


class Tally:
    """What one commit counts: fields of the counters' hash and by how much each grows."""

    def __init__(self) -> None:
        self.fields: Counter[str] = Counter()

    def count(self, measure: Measures, *values: str, by: int = 1) -> None:
        """Let a counter grow."""
        self.fields[measure.field(*values)] += by

    def observe(self, measure: Measures, seconds: float, *values: str) -> None:
        """Take a duration into a histogram."""
        seconds = max(seconds, 0.0)
        base = measure.field(*values)
        bound = next((bound for bound in measure.value.buckets if seconds <= bound), None)
        self.fields[f"{base}|le:{bound if bound is not None else '+Inf'}"] += 1
        self.fields[f"{base}|sum"] += round(seconds * 1000)
        self.fields[f"{base}|count"] += 1

    def add(self, other: "Tally") -> None:
        """Take in what another counted."""
        self.fields.update(other.fields)
