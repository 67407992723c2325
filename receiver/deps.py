"""What the receiver is given by whoever starts it; it builds none of this itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from incidents.alert import Alert
from incidents.incoming import Incoming
from incidents.store.connection import Links
from incidents.store.incidents import Incidents
from incidents.store.intake import Appended, Refused
from incidents.store.rulesets import Reloaded
from receiver.auth import ApiToken, Source
from receiver.limits import Limits
from receiver.openid.model import SignIn
from receiver.seats import told_to_nobody
from rules.model import RuleSet


class AlertSink(Protocol):
    """Where alerts go: the stream of the store."""

    def append_alerts(
        self,
        *,
        source: str,
        alerts: Sequence[Alert],
        refused: Sequence[Refused] = (),
        received_at: datetime,
        truncated: int = 0,
        receiver: str = "",
    ) -> Appended:
        """Make one webhook's alerts durable and return what became of them; raises `StoreUnavailable` within 3 s."""

    def append_incoming(
        self, *, source: str, incoming: Sequence[Incoming], refused: Sequence[Refused] = (), received_at: datetime
    ) -> Appended:
        """Do the same for events that are more than alerts."""


class Recorder(Protocol):
    """Counts the answers of this process."""

    def observe(self, source: str, code: int, seconds: float) -> None:
        """Count one answered webhook."""


class ApiDeps(msgspec.Struct, frozen=True, kw_only=True):
    """What the API needs from outside."""

    links: Links
    incidents: Incidents
    rule_set: Callable[[], RuleSet]  # the one in force; raises `StoreUnavailable`
    wake: Callable[[], object]  # asks for a decider
    durability: Callable[[], Sequence[str]]  # why the store would forget; empty when it would not
    rule_set_of: Callable[[str], RuleSet]  # one by its hash; raises `NotFound`
    journal: Path | None = None  # where the journal of this host is
    stale_after: timedelta = timedelta(hours=24)  # a firing alert not heard of for so long is shown as stale
    external_url: str = ""  # where people reach the pages; links are made from it
    alertmanagers: Mapping[str, str] = {}  # by source: where people reach the Alertmanager that posts as it


class Deps(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the receiver needs from outside."""

    intake: AlertSink
    sources: tuple[Source, ...]
    api_tokens: tuple[ApiToken, ...]
    ready: Callable[[], list[str]]  # why not ready; empty when ready
    metrics: Callable[[], bytes]  # the whole exposition; answers also with the store away
    reload: Callable[[], Reloaded]
    now: Callable[[], datetime]
    record: Recorder
    build: str
    api: ApiDeps | None = None  # None: a receiver that only takes alerts in
    sign_in: SignIn | None = None  # how people sign in with a provider, beside their tokens
    limits: Limits = Limits()
    streams: Callable[[int], object] = told_to_nobody  # is told how many streams of pages this process has open
    body_readers: int = 3  # bodies read at once by one process: one fewer than its threads, so that probes get through
    body_timeout: float = 15.0  # seconds until a body that is still coming is cut off; a shutdown may wait so long
