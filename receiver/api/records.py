"""Gathers the record of an incident for its post-mortem, picture and exports; a long timeline is read in pages."""

from collections.abc import Iterator, Mapping
from itertools import chain

from incidents.errors import NotFound
from incidents.incident import Incident
from incidents.oncall import SeveritySettings
from incidents.postmortem.record import MOST_ALERTS, Record, record_of
from incidents.postmortem.values import Postmortem
from incidents.store.reads import Reads
from incidents.timeline import EntryKind, TimelineEntry
from incidents.values import Severity
from receiver.api.route import Services

AT_ONCE = 500


def every_entry(
    reads: Reads, name: str, *, kinds: frozenset[EntryKind] = frozenset(), until: str = ""
) -> Iterator[TimelineEntry]:
    """Return the entries of a timeline one by one, up to and with one of them, all without; few are held at a time.

    Raises `NotFound` and `StoreUnavailable` before anything is read, and the second also on the way.
    """
    first = reads.timeline(name, kinds=kinds, limit=AT_ONCE)
    return chain(_until(first.entries, until), _following(reads, name, kinds, first.next, until))


def _following(
    reads: Reads, name: str, kinds: frozenset[EntryKind], after: str | None, until: str
) -> Iterator[TimelineEntry]:
    while after is not None and not (until and _place(after) >= _place(until)):
        page = reads.timeline(name, kinds=kinds, after=after, limit=AT_ONCE)
        yield from _until(page.entries, until)
        after = page.next


def _until(entries: tuple[TimelineEntry, ...], until: str) -> Iterator[TimelineEntry]:
    return (entry for entry in entries if not until or _place(entry.id) <= _place(until))


def _place(entry_id: str) -> tuple[int, int]:
    """Return where the id of an entry stands in the order of the timeline."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def record_for(services: Services, name: str, kept: Postmortem) -> Record:
    """Return the record of an incident; of a published post-mortem up to when it was published. Raises `NotFound`."""
    incident, _ = services.api.incidents.get(name)
    published = bool(kept.until)
    heard = () if published else services.alerts.alerts(incident_id=incident.id, limit=MOST_ALERTS).alerts
    return record_of(
        incident,
        every_entry(services.reads, incident.id, until=kept.until),
        alerts=(each.state for each in heard),
        kept=kept.alerts,
        severities=kept.severities or _severities(services, incident),
    )


def _severities(services: Services, incident: Incident) -> Mapping[Severity, SeveritySettings]:
    """Return what the severities asked when it was declared; where that is forgotten, what they ask now."""
    if incident.ruleset:
        try:
            return services.api.rule_set_of(incident.ruleset).oncall.severities
        except NotFound:
            pass
    return services.api.rule_set().oncall.severities
