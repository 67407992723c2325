"""Whose incident it would be, by the matchers of the teams. Pure."""

from collections.abc import Mapping, Sequence

from incidents.teams import DEFAULT_TEAM
from rules.matcher_index import MatcherIndex
from rules.model import TeamRule


class Teams:
    """The teams of a rule set; one thread alone may use it."""

    def __init__(self, teams: Sequence[TeamRule]) -> None:
        self._names = [rule.team for rule in teams]
        self._index = MatcherIndex([rule.matchers for rule in teams])

    def team_of(self, identity: Mapping[str, str], labels: Mapping[str, str]) -> str:
        """Return the first team whose matchers hold for the labels of an incident, `default` where none does."""
        places = self._index.matching({**labels, **identity}) if self._names else ()
        return self._names[places[0]] if places else DEFAULT_TEAM
