"""What the page of an incident says of its paging: a handover that waits, maintenance that holds, why it was found."""

import html
import re
from datetime import timedelta

import pytest
from builders import CRITICAL, ONCALL, rule_set
from msgspec.structs import replace

from incidents import keys
from incidents.events import Acknowledge, RoleGiven
from incidents.incident import Finding
from incidents.maintenance import Hold
from incidents.paging.upcoming import upcoming
from incidents.store.codec import encode
from incidents.values import Criterion, Role, Severity
from receiver.web.paging import why_of

MAINTENANCE = """
maintenance:
- {id: upgrade, match: 'service="db"', from: 2026-01-05T08:00:00Z, until: 2026-01-05T12:00:00Z, comment: The new disks}
"""


@pytest.fixture
def rules():
    return rule_set(CRITICAL, ONCALL + MAINTENANCE)


def plain(page):
    main = page[page.index("<main") : page.index("</main>")]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


@pytest.fixture
def handed(declare, incidents, clock):
    """An incident whose commander bo acknowledged, and asked amira to take over two minutes ago."""
    incident = declare()
    for event in (
        Acknowledge(actor="bo", note=""),
        RoleGiven(actor="bo", role=Role.INCIDENT_COMMANDER, person="bo"),
        RoleGiven(actor="bo", role=Role.INCIDENT_COMMANDER, person="amira"),
    ):
        clock.advance(seconds=1)
        incidents.apply(incident.id, event, now=clock.now)
    clock.advance(minutes=2)
    return f"/incidents/{incident.id}"


def test_handover_says_who_was_asked_since_when_and_who_stays_in_charge(browser_of, handed):
    """Until the successor answers; who was not asked has nothing to acknowledge."""
    page = browser_of("bo").get(handed).text
    said = plain(page)
    assert "Handover amira was asked to take over 2 min ago. bo stays in charge until amira acknowledges." in said
    assert "Paged next Nobody, also if amira does not answer." in said
    assert "data-acknowledge" not in page
    assert "Commander bo until amira answers" in plain(browser_of("bo").get("/incidents").text)
    assert "amira was asked by bo at 2026-01-05T09:00:04Z; bo commands until amira acknowledges" in said


def test_handover_is_taken_by_the_button_of_who_was_asked(browser_of, handed):
    """It says what it does; afterwards nobody is asked."""
    amira = browser_of("amira")
    assert "Acknowledge, and take over" in plain(amira.get(handed).text)
    assert amira.post(f"{handed}/acknowledge", handed).status_code == 303
    said = plain(amira.get(handed).text)
    assert "Commander amira" in said
    assert "Handover" not in said


def test_command_is_taken_or_kept_by_one_button(browser_of, handed):
    """The commander ends a handover, and a responder takes the command, without choosing role and person."""
    bo, role = browser_of("bo"), "incident_commander"
    assert "bo goes on; amira is not asked any more" in plain(bo.get(handed).text)
    assert bo.post(f"{handed}/roles", handed, role=role, person="bo").status_code == 303
    assert "Commander bo" in (said := plain(bo.get(handed).text))
    assert "stays in charge" not in said
    amira = browser_of("amira")
    assert "I take command" in plain(amira.get(handed).text)
    assert amira.post(f"{handed}/roles", handed, role=role, person="amira").status_code == 303
    assert "Commander amira" in plain(amira.get(handed).text)


def test_maintenance_that_holds_says_what_it_is_and_when_it_pages(amira, declare, rules, clock, links):
    """With its comment, and the end at which it pages: not when the end is announced."""
    incident = declare()
    end = clock.now + timedelta(hours=3)
    hold = Hold(id="upgrade", start=clock.now - timedelta(hours=1), until=end)
    due = end - timedelta(minutes=15)
    held = replace(incident, paging=replace(incident.paging, holds=(hold,), next_at=due))
    assert upcoming(held, rules.oncall).at == end
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(held))
    assert "amira in 3 h 12:00:01 , when maintenance is over: The new disks (upgrade)." in plain(
        amira.get(f"/incidents/{incident.id}").text
    )
    assert "maintenance It is broken Age 1 s" in plain(amira.get("/incidents").text)
    quiet = upcoming(replace(held, paging=replace(held.paging, next_at=None)), rules.oncall)
    assert (quiet.people, quiet.alarming) == ((), False)
    assert quiet.why == "Maintenance upgrade is over, and nothing fires: what fires again is paged"


def test_hours_of_a_policy_are_said(declare, rules, clock):
    """Paging that has not begun waits for the hours of its policy."""
    incident = declare()
    paging = replace(incident.paging, step=0, next_at=clock.now + timedelta(hours=3))
    following = upcoming(replace(incident, paging=paging), rules.oncall)
    assert following.people == ("amira",)
    assert following.why == f"when the hours of the policy {paging.policy} begin"


@pytest.mark.parametrize("criterion", Criterion)
def test_finding_is_said_in_words(criterion, clock):
    """A criterion that says nothing of its own is not shown."""
    said = why_of(Finding(rule="r", criterion=criterion, severity=Severity.SEV1, at=clock.now))
    assert bool(said) is (criterion is not Criterion.OTHER)
    assert "_" not in said
