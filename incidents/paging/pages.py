"""The pages that an incident makes: of its steps, of a handover, and the news that expect nothing back. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents.incident import Incident, Paging
from incidents.page import News, Page
from incidents.paging.targets import Target
from incidents.values import PageReason, Role


def page_of(
    incident: Incident, paging: Paging, target: Target, *, received_at: datetime, now: datetime, over: bool = False
) -> Page:
    """Return the page of the present step to one target, or what tells it that the incident is over."""
    stage = "over" if over else stage_of(paging)
    return Page(
        id=f"{incident.id}.{paging.start}.{stage}.{target.person}",
        over=over,
        incident_id=incident.id,
        person=target.person,
        role=target.role,
        step=paging.step,
        round=paging.round,
        reason=paging.reason,
        ruleset=incident.ruleset,
        created_at=now,
        received_at=received_at,
    )


def over_pages(incident: Incident, *, now: datetime) -> tuple[Page, ...]:
    """Return what tells everybody who was paged that it is over."""
    if incident.paging is None:
        return ()
    return tuple(
        page_of(incident, incident.paging, Target(person, None), received_at=now, now=now, over=True)
        for person in incident.paged
    )


def handover_page(incident: Incident, person: str, *, text: str, now: datetime) -> Page:
    """Return the page that asks somebody to take the command over; each asking is a page of its own."""
    paging = incident.paging or Paging(policy="", reason=PageReason.ESCALATED)
    asked = page_of(incident, paging, Target(person, Role.INCIDENT_COMMANDER.value), received_at=now, now=now)
    name = f"{incident.id}.{paging.start}.handover{incident.version}.{person}"
    return replace(asked, id=name, reason=PageReason.ESCALATED, text=text, handover=True)


def news(incident: Incident, target: str, kind: News, *, channel: str, now: datetime, text: str = "") -> Page:
    """Return what tells somebody over one channel, expecting nothing back; newer news of a kind take its place."""
    paging = incident.paging or Paging(policy="", reason=PageReason.DECLARED)
    stage = kind.value if kind in {News.OVER, News.ACKNOWLEDGED} else f"{kind.value}{incident.version}"
    return Page(
        id=f"{incident.id}.{paging.start}.{stage}.{target}.{channel}",
        over=True,
        news=kind,
        text=text,
        incident_id=incident.id,
        person=target,
        channel=channel,
        role=None,
        step=paging.step,
        round=paging.round,
        reason=paging.reason,
        ruleset=incident.ruleset,
        created_at=now,
        received_at=now,
    )


def stage_of(paging: Paging) -> str:
    """Return how a page's id names the step: `ROUND.STEP`."""
    return f"{paging.round}.{paging.step}"
