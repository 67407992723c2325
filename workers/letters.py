"""What a page says: the message for one person about one incident. Pure."""

from incidents.incident import AlertTally, Incident
from incidents.page import Page
from incidents.presentation import incident_json
from incidents.values import PageReason
from workers.channels import Message, MessageType

REASONS = {
    PageReason.DECLARED: "declared",
    PageReason.ESCALATED: "escalated",
    PageReason.REOPENED: "reopened",
    PageReason.UNACKNOWLEDGED: "not acknowledged yet",
    PageReason.BACKUP: "calls for backup",
    PageReason.TEST: "a test",
}


def message_of(page: Page, incident: Incident, alerts: AlertTally, external_url: str) -> Message:
    """Return the message that delivers a page."""
    shown = incident_json(incident, alerts)
    return Message(
        type=MessageType.PAGE_RESOLVED if page.over else MessageType.PAGE,
        page_id=page.id,
        dedup_key=incident.dedup_key,
        incident=shown,
        incidents=(shown,),
        person=page.person,
        role=page.role,
        step=page.step,
        round=page.round,
        attempt=page.attempt,
        repeat=page.unanswered,
        reason=page.reason,
        text=_text(page, incident, alerts),
        acknowledge_url=f"{external_url}/api/v1/incidents/{incident.id}/acknowledge",
        incident_url=f"{external_url}/incidents/{incident.id}",
    )


def _text(page: Page, incident: Incident, alerts: AlertTally) -> str:
    if page.over:
        return f"{incident.id} is {incident.status.value}: {incident.title}"
    role = f"You are the {page.role.replace('_', ' ')}. " if page.role else ""
    firing = f"{alerts.firing} alert{'' if alerts.firing == 1 else 's'} firing. " if alerts.firing else ""
    repeat = "(A repeat.) " if page.unanswered else ""
    return (
        f"{incident.severity} {REASONS[page.reason]}: {incident.title} ({incident.id}). {role}{firing}{repeat}".strip()
    )
