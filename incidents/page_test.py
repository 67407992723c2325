"""A test of somebody's channels: a marked page about no incident, and how far it has come. Pure values."""

from datetime import datetime

import msgspec

from incidents.incident import Incident
from incidents.page import Page
from incidents.values import Criterion, IncidentStatus, PageReason, Severity

TEST_PREFIX = "TEST-"


class PageTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test page: asked for by whom, what became of it so far, and who acknowledged it when."""

    id: str  # `TEST-` and sixteen hexadecimal digits
    person: str
    by: str
    at: datetime
    channel: str = ""  # the last that was tried
    delivered_at: datetime | None = None
    failed: str = ""  # why the last attempt failed
    is_over: bool = False  # taken, or given up
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None


def is_test(incident_id: str) -> bool:
    """Whether an id is that of a test, and not of an incident."""
    return incident_id.startswith(TEST_PREFIX)


def page_of(test: PageTest, ruleset: str) -> Page:
    """Return the page that a test sends."""
    return Page(
        id=f"{test.id}.{test.person}",
        incident_id=test.id,
        person=test.person,
        role=None,
        step=1,
        round=1,
        reason=PageReason.TEST,
        ruleset=ruleset,
        created_at=test.at,
        received_at=test.at,
    )


def incident_of(page: Page) -> Incident:
    """Return what a test page shows in place of an incident: of the least severity, and plainly a test."""
    return Incident(
        id=page.incident_id,
        title="This is a test page: nothing is wrong",
        status=IncidentStatus.DECLARED,
        severity=Severity.SEV4,
        criterion=Criterion.OTHER,
        rule=None,
        identity={"test": page.incident_id},
        identity_key="",
        declared_at=page.created_at,
        ruleset=page.ruleset,
    )
