"""Whom a step of a policy pages: people, who is on call, who holds a role, channels. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from incidents.incident import Incident
from incidents.oncall import OnCall, Policy, Rotation, Step
from incidents.page import CHANNEL_PREFIX
from incidents.rotations import NobodyOnCall, holder
from incidents.values import Role

ROTATION_PREFIX = "rotation:"
DEFAULT_POLICY = Policy(id="default", steps=(Step(page=(Role.INCIDENT_COMMANDER.value,)),))


class Target(NamedTuple):
    """One person (or `channel:NAME`) to page, with the role in which, if any."""

    person: str
    role: str | None


def policy_of(oncall: OnCall, policy_id: str) -> Policy:
    """Return a policy by name, else the default, else one that pages the commander."""
    return oncall.policies.get(policy_id) or oncall.policies.get("default") or DEFAULT_POLICY


def on_duty(oncall: OnCall, role: Role, now: datetime) -> str | None:
    """Return who holds a role by its rotation at an instant, None where no rotation is configured for it."""
    rotation_id = oncall.roles.get(role)
    rotation = oncall.rotations.get(rotation_id) if rotation_id else None
    return _holder(rotation, now) if rotation else None


def targets_of(step: Step, incident: Incident, oncall: OnCall, now: datetime) -> Iterator[Target]:
    """Yield everybody whom a step pages for an incident, each once; what nobody answers to is left out."""
    seen: set[str] = set()
    for name in step.page:
        target = _target(name, incident, oncall, now)
        if target is not None and target.person not in seen:
            seen.add(target.person)
            yield target


def _target(name: str, incident: Incident, oncall: OnCall, now: datetime) -> Target | None:
    if name in set(Role):
        role = Role(name)
        person = incident.roles.holder(role) or on_duty(oncall, role, now)
        return Target(person, name) if person else None
    if name.startswith(ROTATION_PREFIX):
        rotation_id, _, ahead = name.removeprefix(ROTATION_PREFIX).partition("+")
        rotation = oncall.rotations.get(rotation_id)
        person = _holder(rotation, now, int(ahead or 0)) if rotation else None
        return Target(person, None) if person else None
    known = (
        name.removeprefix(CHANNEL_PREFIX) in oncall.channels
        if name.startswith(CHANNEL_PREFIX)
        else name in oncall.people
    )
    return Target(name, None) if known else None


def _holder(rotation: Rotation, now: datetime, ahead: int = 0) -> str | None:
    try:
        return holder(rotation, now, ahead=ahead).person
    except NobodyOnCall:
        return None
