"""Keys of the stream, of the decider's way through it, of what became of events, and of the workers."""

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


def delivery(source: str, delivery_id: str) -> str:
    """String, that a delivery took effect. TTL: 72 hours. Writer: the decider. Reader: the decider."""
    return f"tocsin:delivery:{short_hash(f'{source} {delivery_id}')}"


def counters() -> str:
    """Hash of measures (`incidents.measures`). TTL: none. Writer: the commit that makes it happen. Reader: /metrics."""
    return "tocsin:counters"


def quarantine() -> str:
    """Hash of id -> what could not be processed. TTL: none. Writer: intake and the decider. Reader: API, requeue."""
    return "tocsin:quarantine"


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


def probe(token: str) -> str:
    """String, that doctor's synthetic alert was decided. TTL: ten minutes. Writer: the decider. Reader: doctor."""
    return f"tocsin:probe:{token}"


def wake_decider() -> str:
    """String, a decide job was asked for. TTL: two seconds. Writer: intake and tickers; who decides then takes it away.
    Reader: the same (SET NX).
    """
    return "tocsin:wake:decide"


def wake_pager() -> str:
    """String, a pages job was asked for. TTL: two seconds. Writer: tickers. Reader: the same (SET NX)."""
    return "tocsin:wake:pages"


def wake_facts() -> str:
    """String, a facts job was asked for. TTL: two seconds. Writer: tickers. Reader: the same (SET NX)."""
    return "tocsin:wake:facts"


def pager_lingers() -> str:
    """String, a page worker waits for pages. TTL: two seconds, renewed. Writer: the page worker. Reader: tickers."""
    return "tocsin:pages:lingering"


def facts_linger() -> str:
    """String, a facts worker is at work. TTL: some seconds, renewed. Writer: the facts worker. Reader: tickers."""
    return "tocsin:facts:lingering"


def sources_heard() -> str:
    """Hash of source -> milliseconds. TTL: none. Writer: intake. Reader: doctor and the API."""
    return "tocsin:sources:heard"


def workers_seen() -> str:
    """Hash of queue -> milliseconds. TTL: none. Writer: tickers. Reader: /metrics, /-/ready and doctor."""
    return "tocsin:workers:seen"


def writable() -> str:
    """String, that the store takes writes. TTL: ten seconds. Writer: /-/ready and the API. Reader: nobody."""
    return "tocsin:writable"
