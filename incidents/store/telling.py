"""What an incident says of others, for whoever reads it: a restricted one is never named on another, to nobody.

It writes nothing. Most incidents say nothing of others, and cost nothing here.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from incidents import keys
from incidents.incident import Incident
from incidents.store.codec import decode_incident
from incidents.store.connection import Link


def tellable(link: Link, incidents: Sequence[Incident]) -> list[Incident]:
    """Return incidents that name no other which is restricted by now, or gone."""
    names = sorted({each.incident for incident in incidents for each in incident.overdue_actions})
    if not names:
        return list(incidents)
    stored = link.one("MGET", *map(keys.incident, names))
    shown = {name for name, value in zip(names, stored, strict=True) if value is not None and not _is_restricted(value)}
    return [
        replace(incident, overdue_actions=tuple(each for each in incident.overdue_actions if each.incident in shown))
        if incident.overdue_actions
        else incident
        for incident in incidents
    ]


def _is_restricted(stored: bytes) -> bool:
    return decode_incident(stored).restricted
