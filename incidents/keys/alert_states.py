"""Keys of alerts as they stand, of the windows of rules that count, and of what reconciling found."""

from incidents.alert import short_hash


def alerts() -> str:
    """Hash of `SOURCE/FINGERPRINT` -> alert state. TTL: none, pruned by age. Writer: decider. Reader: decider, API."""
    return "tocsin:alerts"


def alerts_seen() -> str:
    """Sorted set of alerts by when they were last heard of. TTL: none, pruned. Writer: decider. Reader: the same."""
    return "tocsin:alerts:seen"


def alerts_stale_mark() -> str:
    """String, up to when alerts were looked through for silence. TTL: none. Writer: the decider. Reader: the same."""
    return "tocsin:alerts:stale-mark"


def alerts_resolved() -> str:
    """Sorted set of resolved alerts by when they were. TTL: none, pruned. Writer: the decider. Reader: the same."""
    return "tocsin:alerts:resolved"


def heartbeats() -> str:
    """Hash of id -> heartbeat. TTL: none. Writer: the decider. Reader: the decider, /metrics and API."""
    return "tocsin:heartbeats"


def window(window_id: str, identity_key: str) -> str:
    """Sorted set of alerts by when they last fired. TTL: the longest window if none fires. Writer, reader: decider."""
    return f"tocsin:window:{window_id}:{identity_key}"


def echo(source: str, fingerprint: str) -> str:
    """String, the incident of ours that a provider knows by this fingerprint. TTL: 90 days. Writer, reader: decider."""
    return f"tocsin:echo:{short_hash(source)}:{fingerprint}"


def receivers_of(source: str) -> str:
    """Set of the names under which an Alertmanager knows us. TTL: none. Writer: intake. Reader: the facts worker."""
    return f"tocsin:source:{short_hash(source)}:receivers"


def truncated_sources() -> str:
    """Set of sources that left alerts out of a notification. TTL: none. Writer: intake. Reader: the facts worker."""
    return "tocsin:sources:truncated"


def absent_of(source: str) -> str:
    """Set of alerts that a source's Alertmanager did not know at the last look. TTL: an hour. Writer: the facts worker.
    Reader: the same.
    """
    return f"tocsin:source:{short_hash(source)}:absent"
