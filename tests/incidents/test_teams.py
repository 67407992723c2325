"""Teams: whose incident it is, and what that changes about roles, paging and announcements."""

from builders import CRITICAL, NOW, ONCALL, rule_set

from incidents import events
from incidents.teams import of_team
from incidents.transitions import Context, transition
from incidents.values import Role, Severity
from rules.teams import Teams

TEAMS = (
    ONCALL
    + """
  payments: {steps: [{page: incident_commander, acknowledge_within: 1m}]}
channels: {hall: console, till: console}
announce: [hall]
teams:
  payments:
    match: 'team="payments"'
    roles: {incident_commander: {rotation: cashiers}}
    paging: payments
    announce: [till, hall]
  shop: {match: 'service=~"shop|cart"'}
"""
).replace("rotations:\n", "rotations:\n  cashiers: {order: [bo]}\n")
RULES = rule_set(CRITICAL, TEAMS)


def declared(team: str):
    """What declaring an incident of a team does."""
    event = events.DeclaredByHand(
        actor="bo", title="x", severity=Severity.SEV2, identity={"service": "x"}, identity_key="k", team=team
    )
    return transition(None, event, context=Context(oncall=RULES.oncall, ruleset="r", new_id="INC-2026-0001"), now=NOW)


def test_team_is_the_first_that_holds():
    """Labels decide, the identity over them; nobody's is the default team's."""
    teams = Teams(RULES.teams)
    assert teams.team_of({"service": "cart"}, {"team": "payments"}) == "payments"
    assert teams.team_of({"service": "cart"}, {"team": "other"}) == "shop"
    assert teams.team_of({"service": "db"}, {}) == "default"


def test_team_has_its_own_commander_policy_and_announcements():
    """The incident of a team is commanded, paged and announced by what the team says."""
    done = declared("payments")
    assert done.incident.team == "payments"
    assert done.incident.roles.incident_commander == "bo"
    assert done.incident.paging.policy == "payments"
    told = [page.person for page in done.pages if page.over]
    assert told == ["channel:hall", "channel:till"]
    assert [page.person for page in done.pages if not page.over] == ["bo"]


def test_team_without_parts_takes_those_of_the_default_team():
    """What a team does not say stays as it is for everybody; so does a team that is gone."""
    for team in ("shop", "gone"):
        done = declared(team)
        assert (done.incident.roles.incident_commander, done.incident.paging.policy) == ("amira", "default")
        assert [page.person for page in done.pages if page.over] == ["channel:hall"]
    assert of_team(RULES.oncall, "shop").roles[Role.INCIDENT_COMMANDER] == "commanders"
