"""Which keys go together: those of one incident, and those that only tell of the moment. Pure.

Tests see to it that no key is forgotten here.
"""

from incidents import keys

PREFIX = keys.stream().partition(":")[0] + ":"

# Whatever is kept under the id of an incident beside itself: it is archived, brought back and deleted with it.
PARTS_OF_INCIDENT = (
    keys.timeline,
    keys.tally,
    keys.incident_alerts,
    keys.incident_awake,
    keys.summary_versions,
    keys.report_versions,
    keys.corrections,
    keys.postmortem,
    keys.postmortem_versions,
)

# Where the ids of closed incidents stand as members or fields, with the command that takes one away: they go with it.
LISTS_OF_INCIDENTS = (
    ("ZREM", keys.incidents()),
    ("SREM", keys.incidents_archived()),
    ("HDEL", keys.statistics()),
    ("ZREM", keys.post_incident_actions()),
    ("HDEL", keys.post_incident_actions_open()),
    ("HDEL", keys.postmortems()),
)

# What only says who works or looks just now, who is signed in, and what was just answered: a backup leaves it out.
MOMENTARY = frozenset(
    {
        keys.lease(),
        keys.suspect(),
        keys.wake_decider(),
        keys.wake_pager(),
        keys.wake_facts(),
        keys.pager_lingers(),
        keys.facts_linger(),
        keys.workers_seen(),
        keys.pages_wake(),
        keys.pages_claimed(),
        keys.journal_lease(),
        keys.journal_expected(),
        keys.audited(),
        keys.keeper_lease(),
        keys.restoring(),
        keys.writable(),
    }
)
# The same, where the name has a part of its own at its end.
MOMENTARY_BEGINNINGS = tuple(
    key.rpartition(":")[0] + ":"
    for key in (
        keys.probe(""),
        keys.page_test(""),
        keys.session(""),
        keys.sessions_of(""),
        keys.sign_in_link(""),
        keys.idempotency("", ""),
    )
)


def parts_of(incident_id: str) -> tuple[str, ...]:
    """Return every key that is kept under the id of an incident, beside the incident itself."""
    return tuple(part(incident_id) for part in PARTS_OF_INCIDENT)


def is_momentary(key: str) -> bool:
    """Whether a key only tells of the moment, so that no backup needs it."""
    return key in MOMENTARY or key.startswith(MOMENTARY_BEGINNINGS)
