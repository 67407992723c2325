"""The pages that an incident makes: of its steps, of a handover, and the news that expect nothing back. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents.incident import Incident, Paging
from incidents.page import News, Page
from incidents.paging.targets import Target
from incidents.values import PageReason, Role


def page_of(incident: Incident, paging: Paging, target: Target, *, received_at: datetime, now: datetime) -> Page:
    """Return the page of the present step to one target."""
    return Page(
        id=_id(incident, paging, stage_of(paging), target.person),
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
    paging = incident.paging
    if paging is None:
        return ()
    made = (page_of(incident, paging, Target(person, None), received_at=now, now=now) for person in incident.paged)
    return tuple(replace(page, over=True, id=_id(incident, paging, "over", page.person)) for page in made)


def handover_page(incident: Incident, person: str, *, text: str, now: datetime) -> Page:
    """Return the page that asks somebody to take the command over; each asking is a page of its own."""
    paging = incident.paging or Paging(policy="", reason=PageReason.ESCALATED)
    asked = page_of(incident, paging, Target(person, Role.INCIDENT_COMMANDER.value), received_at=now, now=now)
    name = _id(incident, paging, f"handover{incident.version}", person)
    return replace(asked, id=name, reason=PageReason.ESCALATED, text=text, handover=True)


def news(incident: Incident, target: str, kind: News, *, channel: str, now: datetime, text: str = "") -> Page:
    """Return what tells somebody over one channel, expecting nothing back; newer news of a kind take its place."""
    paging = incident.paging or Paging(policy="", reason=PageReason.DECLARED)
    stage = kind.value if kind in {News.OVER, News.ACKNOWLEDGED} else f"{kind.value}{incident.version}"
    return Page(
        id=f"{_id(incident, paging, stage, target)}.{channel}",
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


def _id(incident: Incident, paging: Paging, stage: str, person: str) -> str:
    return f"{incident.id}.{paging.start}.{stage}.{person}"
