"""What the calls about the rules in force and about Tocsin itself answer, one type each."""

from incidents.values import Criterion, Severity
from receiver.api.answers import Answer, Cursor, Instant


class TierAnswer(Answer, frozen=True, kw_only=True):
    """What one tier of a rule does."""

    declare: Severity | None
    escalate_by: int
    page: str | None
    attach_only: bool
    conditions: list[str]


class RuleAnswer(Answer, frozen=True, kw_only=True):
    """A rule in force."""

    id: str
    criterion: Criterion
    on: str
    mode: str
    match: list[str]
    identity: list[str]
    tiers: list[TierAnswer]
    reopen_within: str
    file: str
    line: int


class ReloadAnswer(Answer, frozen=True, kw_only=True):
    """How the last reload went; errors are of one that failed, and then the rules before it stay in force."""

    successful: bool
    at: Instant | None
    errors: list[str]


class RulesAnswer(Answer, frozen=True, kw_only=True):
    """The rules in force."""

    hash: str
    reload: ReloadAnswer
    rules: list[RuleAnswer]
    next: Cursor


class RuleFileAnswer(Answer, frozen=True, kw_only=True):
    """One file of the rules in force."""

    name: str
    text: str


class RuleFilesAnswer(Answer, frozen=True, kw_only=True):
    """The text of the rules in force, and when it was checked; no files before the first."""

    hash: str
    checked_at: Instant | None
    files: list[RuleFileAnswer]


class StoreAnswer(Answer, frozen=True, kw_only=True):
    """Whether the store answers and would keep what it is given, its clock, and what is wrong with it."""

    up: bool
    durable: bool
    now: Instant | None
    problems: list[str]


class IntakeAnswer(Answer, frozen=True, kw_only=True):
    """What became of the events: received = processed + duplicate + quarantined + pending."""

    received: int
    processed: int
    duplicate: int
    quarantined: int
    pending: int
    lag_seconds: float


class WorkerAnswer(Answer, frozen=True, kw_only=True):
    """A queue, and when a worker of it was last seen."""

    queue: str
    last_seen: Instant | None


class SourceAnswer(Answer, frozen=True, kw_only=True):
    """A configured source, and when it was last heard."""

    name: str
    kind: str
    last_heard: Instant | None


class RulesStandingAnswer(Answer, frozen=True, kw_only=True):
    """Which rules are in force, and how many people and channels they can page."""

    hash: str
    reload: ReloadAnswer
    rules: int
    people: int
    channels: int


class ProbeAnswer(Answer, frozen=True, kw_only=True):
    """Whether a synthetic alert went the whole way."""

    token: str
    decided: bool


class JournalAnswer(Answer, frozen=True, kw_only=True):
    """Whether the journal is being written, how many events wait for it, and how many it missed; `error`: why not."""

    up: bool
    lag: int
    missed: int
    error: str
    wrote_at: Instant | None


class StatusAnswer(Answer, frozen=True, kw_only=True):
    """How Tocsin is; without the store, what only the store knows is null."""

    version: str
    now: Instant
    ready: bool
    reasons: list[str]
    store: StoreAnswer
    intake: IntakeAnswer | None
    incidents_open: int | None
    quarantine: int | None
    workers: list[WorkerAnswer] | None
    journal: JournalAnswer | None
    sources: list[SourceAnswer]
    rules: RulesStandingAnswer | None
    probe: ProbeAnswer | None
