"""The settings of a process as values: what `tocsin.yml` and the environment said, checked whole.

This is the only module that reads the environment. It knows no store and starts nothing.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from incidents.archive import ARCHIVED_AFTER
from incidents.errors import TocsinError
from rules.durations import format_duration
from rules.loading.nodes import Problem
from tocsin.secret import Secret
from tocsin.tokens import ADMIN_TOKEN_FILE, SOURCE_TOKEN_FILE, keep_token, token_hash

HIDDEN = "***"
DEFAULT_CALLER = "admin"  # whose token stands in where none is configured
STALE_AFTER = timedelta(hours=24)
ASKED_EVERY = timedelta(seconds=30)
GROUPS_CLAIM = "groups"
SCOPES = ("openid", "profile", "email")


class Durability(StrEnum):
    """When an accepted event is on the disk: within a second, or before the answer."""

    EVERYSEC = "everysec"
    FSYNC = "fsync"


class SourceKind(StrEnum):
    """What a source speaks."""

    ALERTMANAGER = "alertmanager"
    PROMETHEUS = "prometheus"
    PAGERDUTY = "pagerduty"
    PAGERDUTY_EVENTS = "pagerduty_events"
    GRAFANA = "grafana"
    GENERIC = "generic"


class ApiRole(StrEnum):
    """What the holder of an API token may do; each includes the one before."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"


class ConfigurationError(TocsinError):
    """The configuration cannot be used; `problems` holds every error, and the text is one line for each."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """A value whose `repr` hides credentials, their digests included (a short token could be guessed from one)."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in redact(self).items())
        return f"{type(self).__name__}({shown})"


class Listen(msgspec.Struct, frozen=True):
    """Where the receiver listens; an empty host means every interface."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class SourceSettings(_Value, frozen=True, kw_only=True):
    """A configured sender and its credentials, several at once for rotation.

    `signing_secrets` verify signatures (PagerDuty, Grafana's HMAC, Standard Webhooks), so that they are kept whole; of
    tokens and routing keys only the SHA-256 digests are.
    """

    name: str
    kind: SourceKind
    token_hashes: tuple[bytes, ...] = ()
    routing_key_hashes: tuple[bytes, ...] = ()
    signing_secrets: tuple[Secret, ...] = ()
    mapping: str | dict[str, Any] | None = None


class ApiTokenSettings(_Value, frozen=True, kw_only=True):
    """A token for the API and the command line."""

    name: str
    role: ApiRole
    token_hashes: tuple[bytes, ...]


class AlertmanagerSettings(_Value, frozen=True, kw_only=True):
    """An Alertmanager to hold our alerts against, and the source it posts as."""

    url: str
    source: str


class PrometheusSettings(_Value, frozen=True, kw_only=True):
    """The Prometheus that measures SLOs and queries; `every` is the shortest time between two questions alike."""

    url: str
    token: Secret | None = None
    every: timedelta = ASKED_EVERY


class SignInSettings(_Value, frozen=True, kw_only=True):
    """A provider of OpenID Connect that people sign in with, and which role its groups give here."""

    issuer: str  # exactly as the provider spells it
    client_id: str
    client_secret: Secret
    roles: dict[str, ApiRole]  # by group
    groups_claim: str = GROUPS_CLAIM
    name_claim: str = ""
    scopes: tuple[str, ...] = SCOPES


class Retention(_Value, frozen=True, kw_only=True):
    """How long closed incidents and the journal are kept, and after how long a closed incident is archived."""

    incidents: timedelta = timedelta(days=400)
    archive: timedelta = ARCHIVED_AFTER
    journal: timedelta = timedelta(days=90)


class Settings(_Value, frozen=True, kw_only=True):
    """Everything that is configured; paths are absolute, `warnings` are what was odd but usable."""

    listen: Listen
    external_url: str
    data_dir: Path
    redis_url: Secret | None = None
    rules: tuple[str, ...] = ()
    durability: Durability = Durability.EVERYSEC
    sources: tuple[SourceSettings, ...] = ()
    api_tokens: tuple[ApiTokenSettings, ...] = ()
    sign_in: SignInSettings | None = None
    prometheus: PrometheusSettings | None = None
    alertmanagers: tuple[AlertmanagerSettings, ...] = ()
    stale_after: timedelta = STALE_AFTER
    retention: Retention = Retention()
    heartbeat_url: Secret | None = None
    allow_volatile: bool = False
    deny_private_urls: bool = False
    config_path: Path | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def journal_dir(self) -> Path:
        """Where the journal is."""
        return self.data_dir / "journal"

    @property
    def needs_default_source(self) -> bool:
        """True when no source is configured, so that one with a token in the data directory stands in."""
        return not self.sources

    @property
    def needs_default_api_token(self) -> bool:
        """True when no API token is configured, so that an admin's in the data directory stands in."""
        return not self.api_tokens

    def redacted(self) -> dict[str, Any]:
        """Return the settings as JSON-able values, without credentials, their digests and passwords in addresses."""
        return redact(self)


def environment() -> Mapping[str, str]:
    """Return the environment of this process."""
    return dict(os.environ)


def with_default_credentials(settings: Settings) -> Settings:
    """Fill in the source `alertmanager` and the API token `admin` where none is configured.

    Their tokens are made in the data directory at the first call and reused after; raises OSError when they cannot be.
    """
    sources, api_tokens = settings.sources, settings.api_tokens
    if settings.needs_default_source:
        hashes = (token_hash(keep_token(settings.data_dir / SOURCE_TOKEN_FILE)),)
        sources = (SourceSettings(name="alertmanager", kind=SourceKind.ALERTMANAGER, token_hashes=hashes),)
    if settings.needs_default_api_token:
        hashes = (token_hash(keep_token(settings.data_dir / ADMIN_TOKEN_FILE)),)
        api_tokens = (ApiTokenSettings(name=DEFAULT_CALLER, role=ApiRole.ADMIN, token_hashes=hashes),)
    return msgspec.structs.replace(settings, sources=sources, api_tokens=api_tokens)


def redact(value: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a value as JSON-able values without anything secret."""
    return {name: _shown(getattr(value, name)) for name in value.__struct_fields__}


def _shown(value: Any) -> Any:  # noqa: ANN401 - any field of a setting
    match value:
        case Secret() | bytes():
            return HIDDEN
        case Listen() | Path() | Problem():
            return str(value)
        case msgspec.Struct():
            return redact(value)
        case timedelta():
            return format_duration(value)
        case str():
            return without_password(value)
        case tuple() | list():
            return [_shown(item) for item in value]
        case dict():
            return {key: _shown(item) for key, item in value.items()}
        case _:
            return value


def without_password(url: str) -> str:
    """Return an address with its user and password hidden; any other text comes back as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if not parts.netloc or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=f"{HIDDEN}@{parts.netloc.rpartition('@')[2]}"))
