"""Whose incident it would be, by the matchers of the teams. Pure."""

from collections.abc import Mapping, Sequence

from incidents.teams import DEFAULT_TEAM
from rules.matchers import matches
from rules.model import TeamRule


def team_of(teams: Sequence[TeamRule], identity: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """Return the first team whose matchers hold for the labels of an incident, `default` where none does."""
    if not teams:
        return DEFAULT_TEAM
    known = {**labels, **identity}
    return next((rule.team for rule in teams if matches(rule.matchers, known)), DEFAULT_TEAM)
