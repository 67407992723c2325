"""Post-incident actions as they are indexed: of which rule they are."""

from datetime import timedelta

from example_record import DECLARED, incident
from msgspec.structs import replace

from incidents.incident import open_actions
from incidents.post_incident_actions import Overdue, PostIncidentAction, overdue_of


def test_post_incident_actions_of_what_people_declared_are_of_the_rule_that_found_it_too():
    """So the next incident of that rule tells of those that are overdue."""
    action = PostIncidentAction(id="1", text="alert on it", at=DECLARED, by="bo")
    found = replace(incident(), rule=None, post_incident_actions=(action,))
    assert [each.rule for each in open_actions(found)] == [found.findings[0].rule]
    assert [each.rule for each in open_actions(replace(found, findings=()))] == [""]


def test_post_incident_actions_of_restricted_incidents_are_not_told_of_on_the_next():
    """Who is on the next incident of the rule may not see the one before."""
    action = PostIncidentAction(id="1", text="alert on it", at=DECLARED, by="bo", due=DECLARED.date())
    after = DECLARED + timedelta(days=2)
    plain = replace(incident(), restricted=False, post_incident_actions=(action,))
    hidden = replace(plain, id="INC-2026-0099", restricted=True)
    rule = plain.rule or ""
    told = overdue_of(rule, (*open_actions(plain), *open_actions(hidden)), after)
    assert told == (Overdue(incident=plain.id, count=1),)
