"""Post-incident actions as they are indexed: of which rule they are."""

from example_record import DECLARED, incident
from msgspec.structs import replace

from incidents.incident import open_actions
from incidents.post_incident_actions import PostIncidentAction


def test_post_incident_actions_of_what_people_declared_are_of_the_rule_that_found_it_too():
    """So the next incident of that rule tells of those that are overdue."""
    action = PostIncidentAction(id="1", text="alert on it", at=DECLARED, by="bo")
    found = replace(incident(), rule=None, post_incident_actions=(action,))
    assert [each.rule for each in open_actions(found)] == [found.findings[0].rule]
    assert [each.rule for each in open_actions(replace(found, findings=()))] == [""]
