"""Delivering a page: over which channels, whether it is still needed, and what its end means. Pure.

The page worker sends and the simulator only pretends to; what they write down is made here.
"""

from datetime import datetime
from typing import NamedTuple

from incidents.events import PageDelivered, PageFailed, PageSuppressed
from incidents.incident import Incident
from incidents.measures import NO_KIND, Measures, Tally
from incidents.oncall import Channel, OnCall
from incidents.page import CHANNEL_PREFIX, News, Page

NO_CHANNEL = "no channel is configured; add `channels` to this person"


class Ended(NamedTuple):
    """How a page ended: what happens to its incident, and what is counted."""

    event: PageDelivered | PageFailed | PageSuppressed
    tally: Tally


def channels_of(oncall: OnCall, person: str, only: str = "") -> tuple[Channel, ...]:
    """Return the channels of a person, first to last, or the one channel that `channel:NAME` names.

    With `only`, no channel but the one of this name.
    """
    if person.startswith(CHANNEL_PREFIX):
        channel = oncall.channels.get(person.removeprefix(CHANNEL_PREFIX))
        return (channel,) if channel else ()
    known = oncall.people.get(person)
    channels = known.channels if known else ()
    return tuple(channel for channel in channels if channel.name == only) if only else channels


def needless(page: Page, incident: Incident) -> str:
    """Say why a page need not be sent any more, empty when it must be."""
    waiting = incident.paging is not None and incident.paging.next_at is not None
    if page.over:
        again = incident.is_open and (page.news is News.OVER or (page.news is News.ACKNOWLEDGED and waiting))
        return "paging began again before" if again else ""
    if page.handover and incident.is_open:
        asked = incident.handover is not None and incident.handover.to == page.person
        return "" if asked else "the handover is over"
    if not incident.is_open:
        return f"the incident was {incident.status.value} before"
    if incident.acknowledged_at is not None and not waiting:
        return f"{incident.acknowledged_by or 'somebody'} acknowledged before"
    return ""


def delivered(page: Page, channel: Channel, now: datetime, *, answer: str = "", provider_id: str = "") -> Ended:
    """Return that a provider took a page, what it answered, and what it calls what it took."""
    tally = Tally()
    tally.count(Measures.PAGES, channel.kind, "repeated" if page.unanswered else "accepted")
    if not page.over and page.step == 1 and page.round == 1:
        tally.observe(Measures.PAGE_DELAY, (now - page.received_at).total_seconds())
    event = PageDelivered(
        page_id=page.id,
        person=page.person,
        channel=channel.name,
        kind=channel.kind,
        attempt=page.attempt,
        audience=page.audience,
        repeat=page.unanswered,
        reason=page.reason,
        answer=answer,
        provider_id=provider_id,
    )
    return Ended(event, tally)


def failed(page: Page, channel: Channel, error: str, again_at: datetime, *, permanent: bool = False) -> Ended:
    """Return that an attempt failed and another one follows, over another channel where it failed for good."""
    tally = Tally()
    tally.count(Measures.PAGES, channel.kind, "failed")
    event = PageFailed(
        page_id=page.id,
        person=page.person,
        channel=channel.name,
        kind=channel.kind,
        attempt=page.attempt,
        audience=page.audience,
        error=error,
        again_at=again_at,
        permanent=permanent,
    )
    return Ended(event, tally)


def given_up(page: Page, channel: Channel | None, error: str) -> Ended:
    """Return that no further attempt follows; without a channel: there was none to try."""
    kind, name = (channel.kind, channel.name) if channel else (NO_KIND, "")
    tally = Tally()
    tally.count(Measures.PAGES, kind, "given_up")
    event = PageFailed(
        page_id=page.id,
        person=page.person,
        channel=name,
        kind=kind,
        attempt=page.attempt,
        audience=page.audience,
        error=error,
        permanent=True,
    )
    return Ended(event, tally)


def is_noted(page: Page, event: PageDelivered | PageFailed | PageSuppressed) -> bool:
    """Whether the end of a page belongs on the timeline: of what only tells something, failures and communications."""
    return not page.over or bool(page.audience) or isinstance(event, PageFailed)


def suppressed(page: Page, why: str) -> Ended:
    """Return that a page was not sent, for it was no longer needed."""
    tally = Tally()
    tally.count(Measures.PAGES, NO_KIND, "suppressed")
    return Ended(PageSuppressed(page_id=page.id, person=page.person, why=why), tally)
