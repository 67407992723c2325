"""Keys of the rules in force and of what stands beside them: overrides, calendars, maintenance, shadows, facts."""

from incidents.alert import short_hash


def rules_current() -> str:
    """String, the hashes of the rules, overrides and calendars in force, joined by `+`. TTL: none. Writer: reload,
    whoever makes an override, the facts worker. Reader: every decision (watched).
    """
    return "tocsin:rules:current"


def rules_text(ruleset: str) -> str:
    """String, the checked text of a rule set. TTL: none, 30 days once superseded. Writer: reload. Reader: workers."""
    return f"tocsin:rules:set:{ruleset}"


def rules_status() -> str:
    """Hash, how the last reload went. TTL: none. Writer: reload. Reader: /metrics, API and doctor."""
    return "tocsin:rules:status"


def overrides(overrides_hash: str) -> str:
    """String, a list of overrides that people made. TTL: none, 30 days once superseded. Writer: API. Reader:
    workers, API.
    """
    return f"tocsin:overrides:{overrides_hash}"


def calendars(calendars_hash: str) -> str:
    """String, what calendars say. TTL: none, 30 days once superseded. Writer: facts worker, reload. Reader: all."""
    return f"tocsin:calendars:{calendars_hash}"


def calendars_status() -> str:
    """Hash of calendar -> how it was read last. TTL: none, pruned. Writer: the facts worker. Reader: API, /metrics."""
    return "tocsin:calendars:status"


def maintenance() -> str:
    """Hash of id -> maintenance that came by the API. TTL: none, pruned. Writer: API. Reader: decider, API."""
    return "tocsin:maintenance"


def maintenance_reminded(maintenance_id: str) -> str:
    """String, the end that was announced last. TTL: an hour. Writer: the facts worker. Reader: the same."""
    return f"tocsin:maintenance:{short_hash(maintenance_id)}:reminded"


def shadow(shadow_id: str) -> str:
    """String, the key of the hash of what a rule in shadow mode would have declared last for an identity; that hash and
    the set of its alerts that fire begin with it. TTL: 90 days. Writer: the decider. Reader: the decider, API.
    """
    return f"tocsin:shadow:{shadow_id}"


def shadows() -> str:
    """Sorted set of would-be incidents by when they began. TTL: none, capped. Writer: the decider. Reader: API."""
    return "tocsin:shadows"


def facts() -> str:
    """Hash of id -> what Prometheus answered last. TTL: none, pruned. Writer: the decider, the facts worker prunes.
    Reader: the decider, /metrics and API.
    """
    return "tocsin:facts"


def facts_wanted() -> str:
    """Sorted set of questions to Prometheus by when they are no longer asked. TTL: none, pruned. Writer: the decider.
    Reader: the facts worker.
    """
    return "tocsin:facts:wanted"


def facts_awaited() -> str:
    """Set of the ids of incidents that wait for facts. TTL: none. Writer: each commit that changes one. Reader: the
    decider and the facts worker.
    """
    return "tocsin:facts:awaited"
