"""Finds teams that are never chosen: their matchers never hold, or a team above them takes what they would. Pure."""

from collections.abc import Iterator, Sequence

from rules.lint.oddities import is_anything
from rules.lint.ranges import implied, impossible
from rules.matchers import Matcher
from rules.model import TeamRule


def never_chosen(teams: Sequence[TeamRule]) -> Iterator[tuple[str, str, str]]:
    """Give each team that gets no incident, why, and what to do."""
    for place, team in enumerate(teams):
        why = impossible(team.matchers)
        if why:
            yield team.team, f"the team {team.team} never has an incident: {why}", "change its match"
            continue
        above = next((other for other in teams[:place] if _takes_all(other, team.matchers)), None)
        if above is not None:
            said = (
                f"the team {team.team} never has an incident: {above.team} is asked first, and holds whenever it does"
            )
            yield team.team, said, "put the narrower team above"


def _takes_all(above: TeamRule, given: Sequence[Matcher]) -> bool:
    return all(is_anything(matcher) or implied(matcher, given) for matcher in above.matchers)
