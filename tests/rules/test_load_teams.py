"""Teams of rule files: they are read, and what they refer to must exist."""

import pytest

PEOPLE = """
people: {amira: {channels: [console]}, bo: {channels: [console]}}
rotations: {r: {order: [amira, bo]}}
roles: {incident_commander: {rotation: r}}
channels: {hall: console}
announce: [hall]
"""


def test_teams_are_acted_on_without_a_warning(load):
    """A team that is right loads in silence."""
    loaded = load(PEOPLE, "teams: {pay: {match: 'team=\"pay\"', roles: {communications: {rotation: r}}}}")
    assert [str(problem) for problem in loaded.problems] == []
    assert [rule.team for rule in loaded.rule_set.teams] == ["pay"]


def test_teams_warn_of_a_channel_that_takes_pages_only(load):
    """What a team announces over PagerDuty would page; so nothing is told to it."""
    pager = f"channels: {{pd: {{pagerduty: {{routing_key: {'0' * 32}}}}}}}"
    (problem,) = load(PEOPLE, pager, "teams: {pay: {match: 'team=\"pay\"', announce: [hall, pd]}}").warnings
    assert (problem.code, problem.file, problem.column) == ("W332", "2.yml", 53)


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("pay: {}", "E203", "a team needs 'match'"),
        ("pay: {match: 'a'}", "E301", "match"),
        ("pay: {match: 'a=\"b\"', paging: nigth}", "E309", "no paging policy 'nigth'"),
        ("pay: {match: 'a=\"b\"', announce: [hal]}", "E309", "no channel 'hal'"),
        ("pay: {match: 'a=\"b\"', roles: {communications: {rotation: x}}}", "E309", "no rotation 'x'"),
        ("pay: {match: 'a=\"b\"', members: [amira]}", "E202", "no key 'members'"),
        ("default: {match: 'a=\"b\"'}", "E304", "everybody else's"),
    ],
)
def test_teams_that_are_wrong_are_refused(load, body, code, said):
    """Each mistake is named by what is wrong."""
    found = [str(problem) for problem in load(PEOPLE, f"teams: {{{body}}}").errors]
    assert any(code in each and said in each for each in found), found
