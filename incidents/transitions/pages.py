"""What paging does to an incident: steps that fall due, and pages that were delivered, failed or not needed. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.incident import Incident
from incidents.measures import Measures, Tally
from incidents.paging import steps
from incidents.paging.pages import stage_of
from incidents.paging.repaging import repaged
from incidents.statistics.nights import time_of_day
from incidents.timeline import Entry, EntryKind
from incidents.transitions.communications import not_told, told
from incidents.transitions.held import held_step_due
from incidents.transitions.outcome import Context, Transition, changed, unchanged

_ANOTHER = "the next channel is tried"


def step_due(incident: Incident, event: events.StepDue, context: Context, now: datetime) -> Transition:
    """Re-check before acting: the timer carries no truth."""
    del event
    repage_at = incident.paging.repage_at if incident.paging is not None else None
    if repage_at is not None and repage_at <= now:
        called = repaged(incident, context.oncall, now=now)
        return changed(incident, called.incident, called.entries, called.pages, reason="paged again")
    if incident.paging is None or incident.paging.next_at is None or incident.paging.next_at > now:
        return unchanged("no step is due")
    if incident.paging.holds:
        return held_step_due(incident, context, now)
    called = steps.next_step(incident, context.oncall, now=now)
    return changed(incident, called.incident, called.entries, called.pages, reason="escalated")


def page_delivered(incident: Incident, event: events.PageDelivered, context: Context, now: datetime) -> Transition:
    """Write down that a provider took a page, and whether it was night where the person lives."""
    del incident
    if event.audience:
        return told(event, now)
    time = time_of_day(context.oncall, event.person, now)
    again = " again (a repeat: the attempt before was never answered)" if event.repeat else ""
    entry = Entry(
        at=now,
        kind=EntryKind.PAGE_SENT,
        text=f"Paged {event.person} through {event.kind}{again}",
        data={
            "page_id": event.page_id,
            "person": event.person,
            "channel": event.channel,
            "attempt": event.attempt,
            "repeat": event.repeat,
            "reason": event.reason.value,
            "verdict": "accepted",
            **_present({"time_of_day": time, "answer": event.answer, "provider_id": event.provider_id}),
        },
    )
    tally = Tally()
    if time:
        tally.count(Measures.PEOPLE_PAGED, time)
    return Transition(None, (entry,), (), tally, "page sent")


def page_failed(incident: Incident, event: events.PageFailed, context: Context, now: datetime) -> Transition:
    """Write a failure down; a page that is given up brings the next step of the round forward."""
    if event.audience:
        return not_told(event, now)
    after = "it is given up" if event.again_at is None else _ANOTHER if event.permanent else "it is tried again"
    entry = Entry(
        at=now,
        kind=EntryKind.PAGE_FAILED,
        text=f"Paging {event.person} through {event.kind} failed ({event.error}); {after}",
        data={
            "page_id": event.page_id,
            "person": event.person,
            "channel": event.channel,
            "attempt": event.attempt,
            "error": event.error,
            "verdict": "permanent" if event.permanent else "retry",
        },
    )
    if event.again_at is None and _of_present_step(incident, event) and steps.has_next_step(incident, context.oncall):
        assert incident.paging is not None  # noqa: S101 - it has a present step
        hurried = replace(incident, paging=replace(incident.paging, next_at=now))
        return changed(incident, hurried, (entry,), reason="page given up")
    return Transition(None, (entry,), (), Tally(), "page failed")


def _of_present_step(incident: Incident, event: events.PageFailed) -> bool:
    """Whether the page belongs to the step that waits now: an older one that is given up hurries nothing."""
    present = incident.paging
    if not incident.is_open or present is None or present.next_at is None:
        return False
    return event.page_id.startswith(f"{incident.id}.{present.start}.{stage_of(present)}.")


def _present(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def page_suppressed(incident: Incident, event: events.PageSuppressed, context: Context, now: datetime) -> Transition:
    """Write down that a page was no longer needed."""
    del incident, context
    text = f"{event.person} was not paged: {event.why}"
    data = {"page_id": event.page_id, "person": event.person, "reason": event.why}
    entry = Entry(at=now, kind=EntryKind.PAGE_SUPPRESSED, text=text, data=data)
    return Transition(None, (entry,), (), Tally(), "page suppressed")


def stale(incident: Incident, event: events.Event, context: Context, now: datetime) -> Transition:
    """Let a timer of a closed incident pass."""
    del incident, event, context, now
    return unchanged("closed already")
