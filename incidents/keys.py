"""Every key of the store, one function each. A docstring gives its type, TTL, writer and reader.

Foreign text is hashed before it becomes part of a key. Nothing else in the project writes a key down. Which of them
belong to one incident, and which last for moments, stands in `incidents/keyring.py`: list a new one there.
"""

from incidents.alert import short_hash


def stream() -> str:
    """Stream of events, in order of arrival. TTL: none, trimmed past the cursors. Writer: intake. Reader: decider."""
    return "tocsin:stream"


def cursor() -> str:
    """String `ENTRY-ID|DONE`, how far the decider came. TTL: none. Writer: the decider's commit. Reader: decider."""
    return "tocsin:cursor:decider"


def lease() -> str:
    """String, who decides now. TTL: two seconds, renewed. Writer: the active decider. Reader: workers and intake."""
    return "tocsin:decider:lease"


def fence() -> str:
    """Counter, grows when the lease is acquired. TTL: none. Writer: who acquires. Reader: the decider's commits."""
    return "tocsin:decider:fence"


def suspect() -> str:
    """Hash, where deciders died and how often. TTL: none. Writer: the decider. Reader: the decider that takes over."""
    return "tocsin:decider:suspect"


def wake_decider() -> str:
    """String, a decide job was asked for. TTL: two seconds. Writer: intake and tickers; who decides then takes it away.
    Reader: the same (SET NX).
    """
    return "tocsin:wake:decide"


def wake_pager() -> str:
    """String, a pages job was asked for. TTL: two seconds. Writer: tickers. Reader: the same (SET NX)."""
    return "tocsin:wake:pages"


def pager_lingers() -> str:
    """String, a page worker waits for pages. TTL: two seconds, renewed. Writer: the page worker. Reader: tickers."""
    return "tocsin:pages:lingering"


def counters() -> str:
    """Hash of measures (`incidents.measures`). TTL: none. Writer: the commit that makes it happen. Reader: /metrics."""
    return "tocsin:counters"


def delivery(source: str, delivery_id: str) -> str:
    """String, that a delivery took effect. TTL: 72 hours. Writer: the decider. Reader: the decider."""
    return f"tocsin:delivery:{short_hash(f'{source} {delivery_id}')}"


def incidents_of_service(service: str) -> str:
    """Set of the ids of open incidents of a service. TTL: none. Writer: each commit that opens or closes one. Reader:
    the decider.
    """
    return f"tocsin:service:{short_hash(service)}:open"


def quarantine() -> str:
    """Hash of id -> what could not be processed. TTL: none. Writer: intake and the decider. Reader: API, requeue."""
    return "tocsin:quarantine"


def audit() -> str:
    """Stream of changes by people and refused credentials. TTL: none, capped. Writer: the receiver. Reader: API."""
    return "tocsin:audit"


def sources_heard() -> str:
    """Hash of source -> milliseconds. TTL: none. Writer: intake. Reader: doctor and the API."""
    return "tocsin:sources:heard"


def workers_seen() -> str:
    """Hash of queue -> milliseconds. TTL: none. Writer: tickers. Reader: /metrics, /-/ready and doctor."""
    return "tocsin:workers:seen"


def rules_current() -> str:
    """String, the hashes of the rules, overrides and calendars in force, joined by `+`. TTL: none. Writer: reload,
    whoever makes an override, the facts worker. Reader: every decision (watched).
    """
    return "tocsin:rules:current"


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


def rules_text(ruleset: str) -> str:
    """String, the checked text of a rule set. TTL: none, 30 days once superseded. Writer: reload. Reader: workers."""
    return f"tocsin:rules:set:{ruleset}"


def rules_status() -> str:
    """Hash, how the last reload went. TTL: none. Writer: reload. Reader: /metrics, API and doctor."""
    return "tocsin:rules:status"


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


def identity(identity_key: str) -> str:
    """String `ID:VERSION` of the incident of an identity. TTL: none while open, then its reopen time. Writer:
    each commit that changes the incident. Reader: the decider (watched).
    """
    return f"tocsin:identity:{identity_key}"


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


def postmortems() -> str:
    """Hash of incident id -> the state of its post-mortem, once somebody changed it. TTL: none. Writer, reader: API."""
    return "tocsin:postmortems"


def postmortem_versions(incident_id: str) -> str:
    """List of every version of the post-mortem before the present one. TTL: none. Writer, reader: API."""
    return f"tocsin:incident:{incident_id}:postmortem:versions"


def incident_awake(incident_id: str) -> str:
    """String, that an archived incident was looked at. TTL: a day; it is then packed again. Writer: who looks at it.
    Reader: the keeper.
    """
    return f"tocsin:incident:{incident_id}:awake"


def incidents() -> str:
    """Sorted set of all incident ids by when declared. TTL: none. Writer: who declares. Reader: API."""
    return "tocsin:incidents"


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


def statistics() -> str:
    """Hash of incident id -> its summary. TTL: none. Writer: each commit that leaves it closed. Reader: API."""
    return "tocsin:statistics:incidents"


def statistics_pages() -> str:
    """Hash of `DATE|day or night|PERSON` -> pages that reached the person. TTL: none. Writer: the page worker's
    commits. Reader: API.
    """
    return "tocsin:statistics:pages"


def incidents_open() -> str:
    """Set of the ids of open incidents. TTL: none. Writer: each commit that opens or closes. Reader: /metrics, API."""
    return "tocsin:incidents:open"


def incidents_absorbing() -> str:
    """Hash of id -> identity and end of open incidents that absorb. TTL: none. Writer: each commit that changes one.
    Reader: the decider.
    """
    return "tocsin:incidents:absorbing"


def number(year: int) -> str:
    """Counter, the last incident number of a year. TTL: none. Writer: who declares (watched). Reader: the same."""
    return f"tocsin:number:{year}"


def timers() -> str:
    """Sorted set of timers (`alert|...`, `clear|...`) by when due. TTL: none. Writer and reader: the decider."""
    return "tocsin:timers"


def window(window_id: str, identity_key: str) -> str:
    """Sorted set of alerts by when they last fired. TTL: the longest window if none fires. Writer, reader: decider."""
    return f"tocsin:window:{window_id}:{identity_key}"


def wake_facts() -> str:
    """String, a facts job was asked for. TTL: two seconds. Writer: tickers. Reader: the same (SET NX)."""
    return "tocsin:wake:facts"


def facts_linger() -> str:
    """String, a facts worker is at work. TTL: some seconds, renewed. Writer: the facts worker. Reader: tickers."""
    return "tocsin:facts:lingering"


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


def pages_due() -> str:
    """Sorted set of page ids by when to try next. TTL: none. Writer: commits, claims. Reader: page workers."""
    return "tocsin:pages:due"


def pages_wake() -> str:
    """List, pushed by commits that make pages due. TTL: none, capped. Writer: commits. Reader: page workers (BLPOP)."""
    return "tocsin:pages:wake"


def page(page_id: str) -> str:
    """String, a page that is not over. TTL: none, gone when delivered or given up. Writer, reader: page workers."""
    return f"tocsin:page:{page_id}"


def escalations() -> str:
    """Sorted set of incident ids by when the next paging step is due. TTL: none. Writer: commits. Reader: page
    workers.
    """
    return "tocsin:escalations"


def probe(token: str) -> str:
    """String, that doctor's synthetic alert was decided. TTL: ten minutes. Writer: the decider. Reader: doctor."""
    return f"tocsin:probe:{token}"


def pages_claimed() -> str:
    """Hash of page id -> the worker that delivers it. TTL: none. Writer: claims, results. Reader: who takes over."""
    return "tocsin:pages:claimed"


def channels_last() -> str:
    """Hash of channel -> how the last attempt over it went. TTL: none. Writer: page workers. Reader: API, doctor."""
    return "tocsin:channels:last"


def decisions() -> str:
    """Stream of what was decided, batch by batch, for the journal. TTL: none, trimmed past the journal's cursor.
    Writer: the decider's commit. Reader: the journal's writer.
    """
    return "tocsin:decisions"


def journal() -> str:
    """Hash, how far the journal has come (`incidents.store.journal`). TTL: none. Writer: the decider's commit and the
    journal's writer. Reader: the same, /metrics and API.
    """
    return "tocsin:journal"


def journal_lease() -> str:
    """String, who writes the journal now. TTL: ten seconds, renewed. Writer: the journal's writer. Reader: the same."""
    return "tocsin:journal:lease"


def journal_expected() -> str:
    """String, that a journal's writer lived or is about to start: what is decided is kept for it. TTL: ten minutes,
    renewed. Writer: `tocsin serve` and the journal's writer. Reader: the decider.
    """
    return "tocsin:journal:expected"


def page_test(test_id: str) -> str:
    """Hash, how far a test page has come. TTL: a day. Writer: API, page worker. Reader: API."""
    return f"tocsin:page-test:{test_id}"


def audited() -> str:
    """String, that the paging was audited. TTL: fifteen seconds. Writer, reader: the auditors (SET NX)."""
    return "tocsin:audited"


def echo(source: str, fingerprint: str) -> str:
    """String, the incident of ours that a provider knows by this fingerprint. TTL: 90 days. Writer, reader: decider."""
    return f"tocsin:echo:{short_hash(source)}:{fingerprint}"


def links_key() -> str:
    """String, the key that signs the links of pages. TTL: none. Writer: the first who asks. Reader: page worker,
    receiver.
    """
    return "tocsin:links:key"


def link_used(token: str) -> str:
    """String, who acknowledged by a link of a page. TTL: until the link expires. Writer, reader: the receiver."""
    return f"tocsin:links:used:{short_hash(token)}"


def status_links_ended(incident_id: str) -> str:
    """String, until when links of its status page were made that hold no longer. TTL: seven days. Writer, reader: the
    receiver.
    """
    return f"tocsin:status-page:{incident_id}:ended"


def shadow(shadow_id: str) -> str:
    """String, the key of the hash of what a rule in shadow mode would have declared last for an identity; that hash and
    the set of its alerts that fire begin with it. TTL: 90 days. Writer: the decider. Reader: the decider, API.
    """
    return f"tocsin:shadow:{shadow_id}"


def maintenance() -> str:
    """Hash of id -> maintenance that came by the API. TTL: none, pruned. Writer: API. Reader: decider, API."""
    return "tocsin:maintenance"


def maintenance_reminded(maintenance_id: str) -> str:
    """String, the end that was announced last. TTL: an hour. Writer: the facts worker. Reader: the same."""
    return f"tocsin:maintenance:{short_hash(maintenance_id)}:reminded"


def shadows() -> str:
    """Sorted set of would-be incidents by when they began. TTL: none, capped. Writer: the decider. Reader: API."""
    return "tocsin:shadows"


def session(session_hash: str) -> str:
    """String, somebody who is signed in to the pages, by the digest of the id in the cookie. TTL: twelve hours after
    the last look, seven days at most. Writer, reader: the receiver.
    """
    return f"tocsin:session:{session_hash}"


def sessions_of(name: str) -> str:
    """Set of the digests of one caller's sessions. TTL: seven days after the last. Writer, reader: the receiver."""
    return f"tocsin:sessions:{short_hash(name)}"


def sign_in_link(link_hash: str) -> str:
    """String, whom a one-time link signs in. TTL: an hour. Writer: `tocsin serve`. Reader: the receiver."""
    return f"tocsin:sign-in:{link_hash}"


def idempotency(actor: str, key: str) -> str:
    """String, what was answered to a caller's call under the caller's own key. TTL: a day; a minute while it is under
    way. Writer, reader: the receiver.
    """
    return f"tocsin:idempotency:{short_hash(f'{actor} {key}')}"


def keeper_lease() -> str:
    """String, who archives and deletes incidents now. TTL: a minute. Writer: the keeper. Reader: the same (SET NX)."""
    return "tocsin:keeper:lease"


def restoring() -> str:
    """String, that a backup is being restored. TTL: none, gone when it is done. Writer: `tocsin restore`. Reader: the
    same, and `tocsin serve`.
    """
    return "tocsin:restoring"
