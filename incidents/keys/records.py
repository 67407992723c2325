"""Keys of incidents, of whatever is kept with one, and of the lists over all of them."""

from incidents.alert import short_hash


def incident(incident_id: str) -> str:
    """String, the incident. TTL: none. Writer: each commit that changes it. Reader: everybody (watched)."""
    return f"tocsin:incident:{incident_id}"


def timeline(incident_id: str) -> str:
    """Stream of timeline entries. TTL: none. Writer: every commit about the incident. Reader: API and pages."""
    return f"tocsin:incident:{incident_id}:timeline"


def tally(incident_id: str) -> str:
    """Hash of counts of alerts and folds. TTL: none. Writer: the decider. Reader: decider, API and page worker."""
    return f"tocsin:incident:{incident_id}:tally"


def incident_alerts(incident_id: str) -> str:
    """Set of the alerts (`SOURCE/FINGERPRINT`) of an incident. TTL: none. Writer: the decider. Reader: API."""
    return f"tocsin:incident:{incident_id}:alerts"


def incident_awake(incident_id: str) -> str:
    """String, that an archived incident was looked at. TTL: a day; it is then packed again. Writer: who looks at it.
    Reader: the keeper.
    """
    return f"tocsin:incident:{incident_id}:awake"


def summary_versions(incident_id: str) -> str:
    """Stream of the versions of an incident's summary. TTL: none. Writer: the commit of each edit. Reader: API."""
    return f"tocsin:incident:{incident_id}:summary"


def report_versions(incident_id: str) -> str:
    """Stream of the versions of the status report of an incident. TTL: none. Writer: each edit. Reader: API."""
    return f"tocsin:incident:{incident_id}:status-report"


def corrections(incident_id: str) -> str:
    """List of corrections of timeline entries, in order. TTL: none. Writer: each note that corrects an entry. Reader:
    API and pages.
    """
    return f"tocsin:incident:{incident_id}:corrections"


def postmortem(incident_id: str) -> str:
    """String, what people wrote in the post-mortem of an incident. TTL: none. Writer: API (watched). Reader: API."""
    return f"tocsin:incident:{incident_id}:postmortem"


def postmortem_versions(incident_id: str) -> str:
    """List of every version of the post-mortem before the present one. TTL: none. Writer, reader: API."""
    return f"tocsin:incident:{incident_id}:postmortem:versions"


def postmortems() -> str:
    """Hash of incident id -> the state of its post-mortem, once somebody changed it. TTL: none. Writer, reader: API."""
    return "tocsin:postmortems"


def identity(identity_key: str) -> str:
    """String `ID:VERSION` of the incident of an identity. TTL: none while open, then its reopen time. Writer:
    each commit that changes the incident. Reader: the decider (watched).
    """
    return f"tocsin:identity:{identity_key}"


def number(year: int) -> str:
    """Counter, the last incident number of a year. TTL: none. Writer: who declares (watched). Reader: the same."""
    return f"tocsin:number:{year}"


def incidents() -> str:
    """Sorted set of all incident ids by when declared. TTL: none. Writer: who declares. Reader: API."""
    return "tocsin:incidents"


def incidents_open() -> str:
    """Set of the ids of open incidents. TTL: none. Writer: each commit that opens or closes. Reader: /metrics, API."""
    return "tocsin:incidents:open"


def incidents_urgent() -> str:
    """Sorted set of the ids of open incidents by how much they need somebody (`incidents.urgency`). TTL: none. Writer:
    each commit that changes one, and whoever finds one missing. Reader: the list.
    """
    return "tocsin:incidents:urgent"


def incidents_changes() -> str:
    """Counter, grows whenever an incident changes, or whether any of its alerts fires. TTL: none. Writer: each commit
    that changes one. Reader: whoever watches the list.
    """
    return "tocsin:incidents:changes"


def incidents_absorbing() -> str:
    """Hash of id -> identity and end of open incidents that absorb. TTL: none. Writer: each commit that changes one.
    Reader: the decider.
    """
    return "tocsin:incidents:absorbing"


def incidents_of_service(service: str) -> str:
    """Set of the ids of open incidents of a service. TTL: none. Writer: each commit that opens or closes one. Reader:
    the decider.
    """
    return f"tocsin:service:{short_hash(service)}:open"


def post_incident_actions() -> str:
    """Sorted set of the ids of incidents that have post-incident actions, by when declared. TTL: none. Writer: each
    commit that changes one. Reader: API.
    """
    return "tocsin:post-incident-actions"


def post_incident_actions_open() -> str:
    """Hash of incident id -> its open post-incident actions, in short. TTL: none. Writer: each commit that changes one.
    Reader: API, /metrics, the decider where it declares.
    """
    return "tocsin:post-incident-actions:open"


def incidents_archived() -> str:
    """Set of the ids of archived incidents. TTL: none. Writer: the keeper, and whoever brings one back. Reader:
    /metrics.
    """
    return "tocsin:incidents:archived"


def statistics() -> str:
    """Hash of incident id -> its summary. TTL: none. Writer: each commit that leaves it closed. Reader: API."""
    return "tocsin:statistics:incidents"


def statistics_pages() -> str:
    """Hash of `DATE|day or night|PERSON` -> pages that reached the person. TTL: none; the keeper takes away what is
    older than `retention.incidents`. Writer: the page worker's commits, the keeper. Reader: API.
    """
    return "tocsin:statistics:pages"


def timers() -> str:
    """Sorted set of timers (`alert|...`, `clear|...`) by when due. TTL: none. Writer and reader: the decider."""
    return "tocsin:timers"


def keeper_lease() -> str:
    """String, who archives and deletes incidents now. TTL: a minute. Writer: the keeper. Reader: the same (SET NX)."""
    return "tocsin:keeper:lease"


def restoring() -> str:
    """String, that a backup is being restored. TTL: none, gone when it is done. Writer: `tocsin restore`. Reader: the
    same, and `tocsin serve`.
    """
    return "tocsin:restoring"
