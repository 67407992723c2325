"""What a page says: the message for one person about one incident, or about several at once. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from incidents.incident import AlertTally, Incident
from incidents.page import News, Page
from incidents.page_test import is_test
from incidents.presentation import incident_json
from incidents.values import PageReason, Role
from workers.channels import Message, MessageType

MOST_LINES = 20  # of a bundle; all of its incidents are in the message

REASONS = {
    PageReason.DECLARED: "declared",
    PageReason.ESCALATED: "escalated",
    PageReason.REOPENED: "reopened",
    PageReason.UNACKNOWLEDGED: "not acknowledged yet",
    PageReason.BACKUP: "calls for backup",
    PageReason.TEST: "a test",
}
TYPES = {
    News.OVER: MessageType.PAGE_RESOLVED,
    News.ACKNOWLEDGED: MessageType.PAGE_ACKNOWLEDGED,
    News.ANNOUNCEMENT: MessageType.ANNOUNCEMENT,
    News.ROLE: MessageType.ANNOUNCEMENT,
    News.TOLD: MessageType.ANNOUNCEMENT,
    News.COMMUNICATION: MessageType.ANNOUNCEMENT,
}


class Letter(NamedTuple):
    """A page with what is known of its incident."""

    page: Page
    incident: Incident
    alerts: AlertTally


def message_of(letters: Sequence[Letter], external_url: str, acknowledge_url: str = "") -> Message:
    """Return the message that delivers one page, or several to the same person: it bears the keys of the first.

    Its text begins with the gravest, for that is what a lock screen shows.
    `acknowledge_url` is where the person acknowledges, for what expects it.
    """
    page, incident, _ = letters[0]
    told = sorted(letters, key=lambda letter: letter.incident.severity.rank)[:MOST_LINES]
    shown = [_shown(letter) for letter in letters]
    return Message(
        type=TYPES[page.news] if page.over else MessageType.PAGE,
        page_id=page.id,
        dedup_key=incident.dedup_key,
        incident=shown[0],
        incidents=tuple(shown),
        person=page.person,
        role=page.role,
        step=page.step,
        round=page.round,
        attempt=page.attempt,
        repeat=any(letter.page.unanswered for letter in letters),
        reason=page.reason,
        text="\n".join(_text(*letter) for letter in told) + _more(len(letters)),
        acknowledge_url="" if page.over else acknowledge_url,
        incident_url="" if page.bare or is_test(incident.id) else f"{external_url}/incidents/{incident.id}",
    )


def _shown(letter: Letter) -> dict[str, Any]:
    """Return what a message bears of an incident: of a communication to the outside, the id alone."""
    if letter.page.bare:
        return {"id": letter.incident.id}
    return incident_json(letter.incident, letter.alerts)


def _more(count: int) -> str:
    return f"\nand {count - MOST_LINES} more" if count > MOST_LINES else ""


def _text(page: Page, incident: Incident, alerts: AlertTally) -> str:
    if page.text:
        return page.text
    if page.over and page.news is News.ACKNOWLEDGED:
        return f"{incident.acknowledged_by or 'Somebody'} acknowledged {incident.id}: {incident.title}"
    if page.over:
        return f"{incident.id} is {incident.status.value}: {incident.title}"
    role = f"You are {Role(page.role).standing}. " if page.role else ""
    firing = f"{alerts.firing} alert{'' if alerts.firing == 1 else 's'} firing. " if alerts.firing else ""
    repeat = "(A repeat.) " if page.unanswered else ""
    return (
        f"{incident.severity} {REASONS[page.reason]}: {incident.title} ({incident.id}). {role}{firing}{repeat}".strip()
    )
