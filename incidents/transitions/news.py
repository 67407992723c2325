"""What everybody else hears of a change: providers that page on their own, and channels of announcements. Pure.

It looks at what a transition did, whatever the event was, so no row of the table can forget it.
"""

from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.delivery import channels_of
from incidents.incident import Incident
from incidents.measures import NO_KIND, Measures
from incidents.oncall import LIFECYCLE_KINDS, Channel
from incidents.page import CHANNEL_PREFIX, News, Page
from incidents.paging.pages import news
from incidents.paging.steps import HOURS
from incidents.timeline import SYSTEM, EntryKind
from incidents.transitions.held import is_end_near, is_held
from incidents.transitions.outcome import Context, Transition
from incidents.transitions.roles import role_news

_ANNOUNCED = frozenset(
    {
        EntryKind.INCIDENT_DECLARED,
        EntryKind.SEVERITY_CHANGED,
        EntryKind.ACKNOWLEDGED,
        EntryKind.PAGE_ACKNOWLEDGED,
        EntryKind.MITIGATED,
        EntryKind.RESOLVED,
        EntryKind.REOPENED,
        EntryKind.DISMISSED,
        EntryKind.MERGED,
        EntryKind.COMMUNICATION,
    }
)


def with_news(
    before: Incident | None, event: events.Event, done: Transition, context: Context, now: datetime
) -> Transition:
    """Return what a transition did, with everything that is to be told of it."""
    _count(done)
    if done.incident is None:
        if before is not None and isinstance(event, events.PageDelivered):
            return done._replace(pages=(*done.pages, *_too_late(before, event, context, now)))
        return done
    pages = [_in_force(page, context) for page in done.pages]
    if before is not None:
        pages = _lifecycle(before, done.incident, pages, context, now)
    pages += _announcements(done, context, now)
    pages += [_in_force(page, context) for page in role_news(done.incident, _heard(done), context.oncall, now)]
    return done._replace(pages=tuple(pages)) if pages else done


def _heard(done: Transition) -> Transition:
    """Maintenance disturbs nobody: while it holds, only what people did is told to whom it concerns."""
    if done.incident is None or not is_held(done.incident):
        return done
    return done._replace(entries=tuple(entry for entry in done.entries if entry.actor != SYSTEM))


def _count(done: Transition) -> None:
    """Count when nobody is paged though somebody should be: held back, or nobody acknowledged in any round."""
    for entry in done.entries:
        if entry.kind is EntryKind.PAGE_EXHAUSTED:
            done.tally.count(Measures.PAGES, NO_KIND, "exhausted")
        if entry.kind is not EntryKind.PAGE_SUPPRESSED:
            continue
        if "maintenance" in entry.data:
            done.tally.count(Measures.PAGES_HELD, "maintenance")
        elif entry.data.get("reason") == HOURS:
            done.tally.count(Measures.PAGES_HELD, HOURS)


def _in_force(page: Page, context: Context) -> Page:
    """Whom a step pages is looked up in the rules of now, so their channels must be, too."""
    if page.ruleset == context.ruleset or not context.ruleset or not channels_of(context.oncall, page.person):
        return page
    return replace(page, ruleset=context.ruleset)


def _lifecycle(before: Incident, after: Incident, pages: list[Page], context: Context, now: datetime) -> list[Page]:
    """Tell providers that page on their own of the acknowledgement and of the end."""
    kind = _turn(before, after)
    if kind is None:
        return pages
    for person in after.paged:
        channels = channels_of(context.oncall, person)
        owning = [channel for channel in channels if channel.kind in LIFECYCLE_KINDS]
        if owning and kind is News.OVER and channels[0] in owning:
            pages = [page for page in pages if not (page.over and page.person == person)]
        pages += [_told(after, person, kind, channel, context, now) for channel in owning]
    return pages


def _turn(before: Incident, after: Incident) -> News | None:
    """Return whether a change ended an incident, or stopped its paging because somebody is on it."""
    if before.is_open and not after.is_open:
        return News.OVER
    waited = before.paging is not None and before.paging.next_at is not None
    waits = after.paging is not None and after.paging.next_at is not None
    if after.is_open and after.acknowledged_at is not None and not waits:
        return News.ACKNOWLEDGED if waited or before.acknowledged_at is None else None
    return None


def _too_late(incident: Incident, event: events.PageDelivered, context: Context, now: datetime) -> list[Page]:
    """A page that a provider took after somebody acknowledged, or after the end, would go on paging there."""
    if event.audience or event.kind not in LIFECYCLE_KINDS:
        return []
    waits = incident.paging is not None and incident.paging.next_at is not None
    if incident.is_open and (waits or incident.acknowledged_at is None):
        return []
    kind = News.ACKNOWLEDGED if incident.is_open else News.OVER
    return [
        _told(incident, event.person, kind, channel, context, now)
        for channel in channels_of(context.oncall, event.person)
        if channel.name == event.channel
    ]


def _told(incident: Incident, person: str, kind: News, channel: Channel, context: Context, now: datetime) -> Page:
    return _in_force(news(incident, person, kind, channel=channel.name, now=now), context)


def _announcements(done: Transition, context: Context, now: datetime) -> list[Page]:
    """Announce what matters to everybody; a restricted incident is announced to nobody."""
    incident = done.incident
    if not context.oncall.announce or incident is None or incident.restricted:
        return []
    said = [entry.text for entry in done.entries if entry.kind in _ANNOUNCED or is_end_near(entry)]
    if not said:
        return []
    text = f"{incident.id} ({incident.severity}) {incident.title}: {'; '.join(said)}"
    told = {page.channel for page in done.pages if page.news is News.COMMUNICATION}  # which the same text reaches
    return [
        _in_force(news(incident, CHANNEL_PREFIX + name, News.ANNOUNCEMENT, channel=name, now=now, text=text), context)
        for name in context.oncall.announce
        if name not in told
    ]
