"""What a call of the API is made of: its route, what the handler is given, and what it answers."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from incidents.store.alert_reads import AlertReads
from incidents.store.audit import Audit
from incidents.store.quarantine import Quarantine
from incidents.store.reads import Reads
from incidents.store.rulesets import RuleSets
from receiver.auth import ApiRole
from receiver.deps import ApiDeps, Deps

BASE = "/api/v1"


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of the query; `many` may be given several times, or once with commas."""

    name: str
    description: str
    schema: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "string"})
    many: bool = False
    is_required: bool = False


class Services(NamedTuple):
    """What the handlers work with."""

    deps: Deps
    api: ApiDeps
    reads: Reads
    alerts: AlertReads
    quarantine: Quarantine
    rulesets: RuleSets
    audit: Audit


class Call(NamedTuple):
    """One call: who, what about, and with which body."""

    actor: str
    now: datetime
    path: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    body: Any
    if_match: str
    reader: str | None = None  # whose eyes see the answer; None sees everything
    group: str = ""  # by which who calls has the role, without a token
    merged: str = ""  # the id that was asked for, where that incident was merged into the one in `path`


class Reply(NamedTuple):
    """What is answered, as plain values or one of `receiver.api.answers`."""

    value: Any
    headers: Mapping[str, str] = {}


Handler = Callable[[Services, Call], Reply]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the API as it is registered, and as it is described."""

    method: str
    path: str  # below `/api/v1`, with parts of it as `{name}`
    role: ApiRole
    summary: str
    handler: Handler
    answer: type
    status: int = 200
    query: tuple[Parameter, ...] = ()
    body: type | None = None
    problems: Mapping[int, str] = {}
    media_type: str = "application/json"  # of what is answered; any other is answered in bytes
    is_limited: bool = True  # False: it is taken however often its caller has called
