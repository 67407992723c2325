"""Telling audiences and people: what is told to whom, over which channel, and whether it arrived. Pure.

What leaves the house bears nothing of the incident but its id and the text that somebody wrote.
"""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from incidents import events
from incidents.delivery import channels_of
from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident
from incidents.measures import Tally
from incidents.oncall import LIFECYCLE_KINDS, Audience
from incidents.page import CHANNEL_PREFIX, News, Page
from incidents.paging.pages import news
from incidents.timeline import Entry, EntryKind
from incidents.transitions.outcome import Context, Transition, changed
from incidents.transitions.people import on_it


def communicated(incident: Incident, event: events.Communicated, context: Context, now: datetime) -> Transition:
    """Write down what an audience was told, and let it be told over its channels where that is asked for."""
    audience = context.oncall.audiences.get(event.audience)
    names = _channels(incident, event, audience) if event.send else ()
    over = ", ".join(names) or event.channel
    how = "is telling" if event.send else "told"
    text = f"{event.actor} {how} {event.audience}{f' over {over}' if over else ''}: {event.text}"
    data: dict[str, Any] = {"audience": event.audience, "channel": over or None, "send": event.send}
    if event.send:
        data["channels"] = list(names)
    entry = Entry(at=now, kind=EntryKind.COMMUNICATION, actor=event.actor, text=text, data=data)
    is_bare = incident.restricted or (audience is not None and audience.is_external)
    said = event.text if is_bare else _headed(incident, event.text)
    pages = tuple(
        replace(
            news(_next(incident), CHANNEL_PREFIX + name, News.COMMUNICATION, channel=name, now=now, text=said),
            audience=event.audience,
            bare=is_bare,
            ruleset=context.ruleset or incident.ruleset,
        )
        for name in names
    )
    return changed(incident, on_it(incident, event.actor, now), (entry,), pages, reason="communicated")


def _channels(incident: Incident, event: events.Communicated, audience: Audience | None) -> tuple[str, ...]:
    """Return over which channels an audience is told; refused where there is none."""
    if audience is None or not audience.channels:
        hint = f"the audience {event.audience!r} has no channels: list them under audiences in the rule files"
        raise TransitionNotAllowed(incident.status.value, "Communicated", hint)
    if not event.channel:
        return audience.channels
    if event.channel not in audience.channels:
        hint = f"{event.audience} is told over {', '.join(audience.channels)}, not over {event.channel!r}"
        raise TransitionNotAllowed(incident.status.value, "Communicated", hint)
    return (event.channel,)


def tell_person(incident: Incident, person: str, text: str, context: Context, now: datetime) -> tuple[Page, ...]:
    """Return what tells a person over the first channel that does not page on its own; nothing where there is none."""
    found = (each for each in channels_of(context.oncall, person) if each.kind not in LIFECYCLE_KINDS)
    channel = next(found, None)
    if channel is None:
        return ()
    is_bare = not incident.is_seen_by(person)
    said = f"{incident.id}: {text}" if is_bare else _headed(incident, text)
    told = news(_next(incident), person, News.TOLD, channel=channel.name, now=now, text=said)
    return (replace(told, bare=is_bare, ruleset=context.ruleset or incident.ruleset),)


def _next(incident: Incident) -> Incident:
    """Return the incident at the version that the change makes: messages of two changes never meet under one id."""
    return replace(incident, version=incident.version + 1)


def _headed(incident: Incident, text: str) -> str:
    return f"{incident.id} ({incident.severity}) {incident.title}: {text}"


# ----------------------------------------------------------------------------------------------- what became of it


def told(event: events.PageDelivered, now: datetime) -> Transition:
    """Write down that an audience was told over a channel."""
    again = " again (a repeat: the attempt before was never answered)" if event.repeat else ""
    text = f"The audience {event.audience} was told over {event.channel} ({event.kind}){again}"
    data = _data(event, delivered=True) | ({"answer": event.answer} if event.answer else {})
    return _noted(text, data, now, "told")


def not_told(event: events.PageFailed, now: datetime) -> Transition:
    """Write down that an audience could not be told over a channel."""
    then = "it is given up" if event.again_at is None else "it is tried again"
    over = f"{event.channel} ({event.kind})" if event.channel else event.person.removeprefix(CHANNEL_PREFIX)
    text = f"Telling {event.audience} over {over} failed ({event.error}); {then}"
    return _noted(text, _data(event, delivered=False) | {"error": event.error}, now, "not told")


def _data(event: events.PageDelivered | events.PageFailed, *, delivered: bool) -> dict[str, Any]:
    return {
        "audience": event.audience,
        "channel": event.channel,
        "delivered": delivered,
        "attempt": event.attempt,
        "page_id": event.page_id,
    }


def _noted(text: str, data: dict[str, Any], now: datetime, reason: str) -> Transition:
    entry = Entry(at=now, kind=EntryKind.COMMUNICATION, text=text, data=data)
    return Transition(None, (entry,), (), Tally(), reason)
