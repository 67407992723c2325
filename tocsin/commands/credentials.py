"""Finds the plain token to send, where the configuration has one; elsewhere Tocsin keeps digests of tokens alone."""

from pathlib import Path
from typing import NamedTuple

from rules.loading.fields import Fields
from rules.loading.nodes import Node, Problem
from rules.loading.yaml import MAX_BYTES, read_yaml
from tocsin.config_reading import Reading
from tocsin.config_secrets import read_secrets, secret_keys
from tocsin.settings import ApiRole, Settings, SourceKind
from tocsin.tokens import ADMIN_TOKEN_FILE, SOURCE_TOKEN_FILE

DEFAULT_SOURCE = "alertmanager"
SINGLES = ("token", "routing_key", "signing_secret", "hmac_secret")


class Known(NamedTuple):
    """A configured holder of a token: the token if it is known in plain, else "", and its file, if any."""

    name: str
    token: str
    file: Path | None


def api_token(settings: Settings) -> str:
    """Return the plain API token that may do most, or "" where none is known in plain."""
    return api_credential(settings)[0]


def api_credential(settings: Settings) -> tuple[str, ApiRole | None]:
    """Return the plain API token that may do most, with its role; "" and None where none is known in plain."""
    if settings.needs_default_api_token:
        token = kept_token(settings.data_dir / ADMIN_TOKEN_FILE)
        return token, ApiRole.ADMIN if token else None
    order = list(ApiRole)
    roles = {token.name: token.role for token in settings.api_tokens}
    known = [holder for holder in _holders(settings, "api_tokens") if holder.token and holder.name in roles]
    if not known:
        return "", None
    best = max(known, key=lambda holder: order.index(roles[holder.name]))
    return best.token, roles[best.name]


def alert_sources(settings: Settings) -> list[Known]:
    """Return the sources of the kind alertmanager, in their order."""
    return sources_of(settings, SourceKind.ALERTMANAGER)


def sources_of(settings: Settings, kind: SourceKind) -> list[Known]:
    """Return the sources of a kind, in their order."""
    if settings.needs_default_source:
        path = settings.data_dir / SOURCE_TOKEN_FILE
        return [Known(DEFAULT_SOURCE, kept_token(path), path)] if kind is SourceKind.ALERTMANAGER else []
    names = [source.name for source in settings.sources if source.kind is kind]
    return [holder for holder in _holders(settings, "sources") if holder.name in names]


def kept_token(path: Path) -> str:
    """Return the token in a file, or "" where there is none that we can read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _holders(settings: Settings, section: str) -> list[Known]:
    """Read the entries of a section again, with their tokens as they stand there; mistakes were reported before."""
    path = settings.config_path
    if path is None:
        return []
    problems: list[Problem] = []
    with path.open("rb") as file:
        root = read_yaml(file.read(MAX_BYTES + 1), str(path), problems)
    fields = Fields(root, problems, what=str(path), known=None)
    return [_holder(Reading(fields, problems, path.parent), node) for node in fields.nodes(section)]


def _holder(reading: Reading, node: Node) -> Known:
    part = reading.part(Fields(node, reading.problems, what="an entry", known=None))
    plain = [each.reveal() for each in read_secrets(part, "token") if not each.reveal().startswith("sha256:")]
    keys = [key for single in SINGLES for key in secret_keys(single)]
    file = next((found for key in keys if (found := _file(part, key)) is not None), None)
    return Known(part.fields.string("name", ""), plain[0] if plain else "", file)


def _file(part: Reading, key: str) -> Path | None:
    """Return the file that holds exactly one token: a list of them can be sent by nobody."""
    if not key.endswith("_file") or key.endswith("s_file"):
        return None
    text = part.fields.string(key, None)
    return None if text is None else part.absolute(part.fields.get(key), text)
