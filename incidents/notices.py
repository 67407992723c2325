"""Messages about no incident, such as that somebody stands in for a rotation: they go the way of pages. Pure."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from incidents.delivery import channels_of
from incidents.incident import Incident
from incidents.oncall import LIFECYCLE_KINDS, OnCall
from incidents.page import News, Page
from incidents.page_test import incident_of as test_incident_of
from incidents.page_test import is_test
from incidents.values import PageReason

NOTICE_PREFIX = "NOTICE-"


def is_notice(incident_id: str) -> bool:
    """Whether an id is that of a notice, and not of an incident."""
    return incident_id.startswith(NOTICE_PREFIX)


def notices(name: str, text: str, targets: Iterable[str], oncall: OnCall, ruleset: str, now: datetime) -> list[Page]:
    """Return what tells people (or `channel:NAME`) a text, each once, over the first channel that does not page.

    `name` is that of what it is about; who has no such channel is told nothing.
    """
    found = []
    for target in dict.fromkeys(targets):
        channel = next((each for each in channels_of(oncall, target) if each.kind not in LIFECYCLE_KINDS), None)
        if channel is not None:
            found.append(_notice(f"{NOTICE_PREFIX}{name}", target, channel.name, text, ruleset, now))
    return found


def _notice(name: str, target: str, channel: str, text: str, ruleset: str, now: datetime) -> Page:
    return Page(
        id=f"{name}.{target}",
        over=True,
        news=News.ANNOUNCEMENT,
        text=text,
        incident_id=name,
        person=target,
        channel=channel,
        role=None,
        step=0,
        round=0,
        reason=PageReason.DECLARED,
        ruleset=ruleset,
        created_at=now,
        received_at=now,
        bare=True,
    )


def stand_in(page: Page) -> Incident | None:
    """Return what a page shows in place of an incident, None where it is about one."""
    if is_test(page.incident_id):
        return test_incident_of(page)
    return replace(test_incident_of(page), title=page.text) if is_notice(page.incident_id) else None
