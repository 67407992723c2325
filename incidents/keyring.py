"""Which keys go together: those of one incident, and those that only tell of the moment. Pure."""

from incidents import keys

PREFIX = keys.stream().partition(":")[0] + ":"


def parts_of(incident_id: str) -> tuple[str, ...]:
    """Return every key that is kept under the id of an incident, beside the incident itself."""
    return tuple(part(incident_id) for part in keys.PARTS_OF_INCIDENT)


def is_momentary(key: str) -> bool:
    """Whether a key only says who works or looks just now, so that no backup needs it."""
    return any(key == each or key.startswith(f"{each}:") for each in keys.MOMENTARY)
