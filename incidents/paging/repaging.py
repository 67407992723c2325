"""Paging again: somebody acknowledged, and nothing was heard for as long as the policy's `repage_after`. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents.incident import Incident
from incidents.oncall import OnCall
from incidents.paging.steps import Called, begin
from incidents.paging.targets import policy_of
from incidents.timeline import Entry, EntryKind
from incidents.values import IncidentStatus, PageReason


def repaged(incident: Incident, oncall: OnCall, *, now: datetime) -> Called:
    """Begin again from the first step, for nothing was heard since somebody acknowledged."""
    policy = incident.paging.policy if incident.paging is not None else "default"
    by = incident.acknowledged_by or "somebody"
    text = f"Nothing was heard since {by} acknowledged or was last heard of: paging begins again"
    entry = Entry(at=now, kind=EntryKind.UNACKNOWLEDGED, text=text, data={"policy": policy})
    called = begin(incident, oncall, policy=policy, reason=PageReason.UNACKNOWLEDGED, received_at=now, now=now)
    return called._replace(entries=(entry, *called.entries))


def with_repage(incident: Incident, oncall: OnCall, *, heard: bool, now: datetime) -> Incident:
    """Return an incident with the instant at which it pages again, put off where a person was heard of."""
    paging = incident.paging
    if paging is None or (paging.repage_at is None and incident.status is not IncidentStatus.ACKNOWLEDGED):
        return incident
    after = policy_of(oncall, paging.policy).repage_after
    if incident.status is not IncidentStatus.ACKNOWLEDGED or paging.next_at is not None or after is None:
        return incident if paging.repage_at is None else replace(incident, paging=replace(paging, repage_at=None))
    if paging.repage_at is not None and not heard:
        return incident
    return replace(incident, paging=replace(paging, repage_at=now + after))
