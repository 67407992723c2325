"""Whose incident it is: what a team changes about paging and announcements for the incidents that are its own. Pure.

Which team an incident belongs to is decided by matchers, where it is declared; it reads nothing but values.
"""

from msgspec.structs import replace

from incidents.oncall import OnCall

DEFAULT_TEAM = "default"
DEFAULT_POLICY = "default"


def of_team(oncall: OnCall, team: str) -> OnCall:
    """Return the on-call settings as they hold for the incidents of a team; those of all where it is not configured.

    A role that the team does not name is held by the rotation of the default team; its channels of announcements come
    after those that are told of every incident.
    """
    own = oncall.teams.get(team) if oncall.teams else None
    if own is None:
        return oncall
    policy = oncall.policies.get(own.paging)
    return replace(
        oncall,
        roles={**oncall.roles, **own.roles},
        policies=oncall.policies if policy is None else {**oncall.policies, DEFAULT_POLICY: policy},
        announce=tuple(dict.fromkeys((*oncall.announce, *own.announce))),
    )
