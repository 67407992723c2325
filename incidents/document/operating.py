"""Who operates: only the engineers of an incident and who coordinates them; whatever others do is marked. Pure."""

from incidents.incident import Incident

BY_OUTSIDER = "outside of the operating group"


def operating_group(incident: Incident) -> tuple[str, ...]:
    """Return who does operational work on an incident: the commander, the engineer in charge, the engineers."""
    roles = incident.roles
    held = (roles.incident_commander, roles.engineer_in_charge, *roles.engineers)
    return tuple(dict.fromkeys(person for person in held if person))


def is_outside(incident: Incident, actor: str) -> bool:
    """Whether an action came from outside of the group; where nobody has a role, there is no group."""
    group = operating_group(incident)
    return bool(group) and actor not in group
