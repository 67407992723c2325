"""Reads the larger parts of the configuration: the address to listen on, sources, API tokens, Alertmanagers."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from receiver.payloads.mapping import BadMapping, compile_mapping, plain
from rules.loading.fields import Fields
from rules.loading.mends import did_you_mean
from rules.loading.nodes import Kind, Node, problem_at
from tocsin.config_reading import Reading
from tocsin.config_secrets import read_hashes, read_secret, read_secrets, secret_keys
from tocsin.settings import (
    ASKED_EVERY,
    AlertmanagerSettings,
    ApiRole,
    ApiTokenSettings,
    Listen,
    PrometheusSettings,
    SourceKind,
    SourceSettings,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
# The credentials that each kind of source may have, by their singular.
_CREDENTIALS = {
    SourceKind.ALERTMANAGER: ("token",),
    SourceKind.PROMETHEUS: ("token",),
    SourceKind.PAGERDUTY: ("signing_secret",),
    SourceKind.PAGERDUTY_EVENTS: ("routing_key",),
    SourceKind.GRAFANA: ("token", "hmac_secret"),
    SourceKind.GENERIC: ("token", "signing_secret"),
}
_SECRETS = ("signing_secret", "hmac_secret")
_ANY_SOURCE_KEY = tuple(
    key for single in ("token", "signing_secret", "routing_key", "hmac_secret") for key in secret_keys(single)
)


def read_listen(fields: Fields) -> Listen | None:
    """Read `HOST:PORT` (`:PORT` is every interface, IPv6 stands in brackets); absent or faulty: None."""
    text = fields.string("listen", None)
    if text is None:
        return None
    host, separator, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        separator = ""
    is_number = port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536
    if not separator or not is_number or re.fullmatch(r"[0-9A-Za-z_.:%-]*", host) is None:
        fields.report("listen", "E308", "listen must be HOST:PORT", "for example 127.0.0.1:9095, :9095 or [::1]:9095")
        return None
    return Listen(host or "0.0.0.0", int(port))  # noqa: S104 - asked for


def read_sources(reading: Reading) -> tuple[SourceSettings, ...]:
    """Read the list of sources; names and credentials are unique."""
    nodes = reading.fields.nodes("sources")
    found = [source for node in nodes if (source := _source(reading, node)) is not None]
    _check_unique(reading, nodes, found)
    return tuple(found)


def _source(reading: Reading, node: Node) -> SourceSettings | None:
    fields = Fields(node, reading.problems, what="a source", known=("name", "kind", "mapping", *_ANY_SOURCE_KEY))
    part = reading.part(fields)
    name = _name(fields)
    if not fields.require("name", "kind"):
        return None
    kind_text = fields.choice("kind", tuple(SourceKind), None)
    if name is None or kind_text is None:
        return None
    kind = SourceKind(kind_text)
    _check_credentials(fields, kind)
    singles = [single for single in _CREDENTIALS[kind] if single in _SECRETS]
    return SourceSettings(
        name=name,
        kind=kind,
        token_hashes=read_hashes(part, "token") if "token" in _CREDENTIALS[kind] else (),
        routing_key_hashes=read_hashes(part, "routing_key") if "routing_key" in _CREDENTIALS[kind] else (),
        signing_secrets=tuple(secret for single in singles for secret in read_secrets(part, single)),
        mapping=_mapping(part, kind),
    )


def _check_credentials(fields: Fields, kind: SourceKind) -> None:
    """Report keys that this kind does not have, and a source that nothing could authenticate as."""
    allowed = [key for single in _CREDENTIALS[kind] for key in secret_keys(single)]
    for key in _ANY_SOURCE_KEY:
        if key in fields and key not in allowed:
            wanted = " or ".join(_CREDENTIALS[kind])
            fields.report(key, "E312", f"a source of kind {kind} has no {key!r}", f"it has {wanted}")
    if not any(key in fields for key in allowed):
        wanted = " or ".join(_CREDENTIALS[kind])
        fields.report("", "E312", f"a source of kind {kind} needs a {wanted}", "make a token with `tocsin token`")


def _mapping(part: Reading, kind: SourceKind) -> str | dict[str, Any] | None:
    """Read and check the mapping of a generic source: the name of a shipped one, or a tree of expressions."""
    fields = part.fields
    node = fields.get("mapping")
    if kind is not SourceKind.GENERIC:
        if node is not None:
            fields.report("mapping", "E312", f"a source of kind {kind} has no 'mapping'", "only kind generic has one")
        return None
    if node is None:
        fields.require("mapping")
        return None
    mapping = plain(node) if node.kind is Kind.MAPPING else fields.string("mapping", None)
    if mapping is None:
        return None
    try:
        compile_mapping(mapping)
    except BadMapping as error:
        for each in error.problems:
            place = _place(node, each.path)
            name = ".".join(("mapping", *each.path))
            part.problems.append(problem_at(place, "E314", f"{name}: {each.message}", each.hint))
        return None
    return mapping


def _place(node: Node, path: Iterable[str]) -> Node:
    """Return the node at a path, or the last one on the way that is there."""
    for key in path:
        if key not in node.entries:
            break
        node = node.entries[key]
    return node


def read_api_tokens(reading: Reading) -> tuple[ApiTokenSettings, ...]:
    """Read the list of API tokens; names and tokens are unique."""
    nodes = reading.fields.nodes("api_tokens")
    found = [token for node in nodes if (token := _api_token(reading, node)) is not None]
    _check_unique(reading, nodes, found)
    return tuple(found)


def _api_token(reading: Reading, node: Node) -> ApiTokenSettings | None:
    known = ("name", "role", *secret_keys("token"))
    fields = Fields(node, reading.problems, what="an API token", known=known)
    name = _name(fields)
    if not fields.require("name", "role"):
        return None
    role = fields.choice("role", tuple(ApiRole), None)
    if not any(key in fields for key in secret_keys("token")):
        fields.report("", "E312", "an API token needs a token", "make one with `tocsin token`")
    hashes = read_hashes(reading.part(fields), "token")
    if name is None or role is None:
        return None
    return ApiTokenSettings(name=name, role=ApiRole(role), token_hashes=hashes)


def read_alertmanagers(reading: Reading, sources: Iterable[SourceSettings]) -> tuple[AlertmanagerSettings, ...]:
    """Read the Alertmanagers to reconcile with; each names the source that it posts as."""
    names = [source.name for source in sources if source.kind is SourceKind.ALERTMANAGER]
    found = []
    for node in reading.fields.nodes("alertmanagers"):
        fields = Fields(node, reading.problems, what="an alertmanager", known=("url", "source"))
        if not fields.require("url", "source"):
            continue
        url, source = reading.part(fields).url("url"), fields.string("source", "")
        if source and source not in names:
            message = f"there is no source {source[:60]!r} of kind alertmanager"
            fields.report("source", "E313", message, did_you_mean(source, names))
        if url is not None:
            found.append(AlertmanagerSettings(url=url, source=source))
    return tuple(found)


def read_prometheus(reading: Reading) -> PrometheusSettings | None:
    """Read which Prometheus to ask, and as whom; None without one."""
    fields = reading.fields.fields("prometheus", what="prometheus", known=("url", "token", "token_file", "every"))
    if reading.fields.get("prometheus") is None or not fields.require("url"):
        return None
    part = reading.part(fields)
    url, token = part.url("url"), read_secret(part, "token")
    every = part.positive_duration("every", ASKED_EVERY)
    return None if url is None else PrometheusSettings(url=url, token=token, every=every)


def _name(fields: Fields) -> str | None:
    name = fields.string("name", None)
    if name is None or _NAME.fullmatch(name):
        return name
    fields.report("name", "E311", "name must be 1 to 63 letters, digits, '-', '_' or '.', a letter or digit first")
    return None


def _check_unique(
    reading: Reading, nodes: Iterable[Node], found: Sequence[SourceSettings] | Sequence[ApiTokenSettings]
) -> None:
    """Report a name that stands twice, and a credential that does so within one kind: it tells who sent something."""
    places = {node.entries["name"].text: node for node in nodes if "name" in node.entries}
    names: set[str] = set()
    owners: dict[tuple[str, bytes], str] = {}
    for one in found:
        node = places.get(one.name, reading.fields.node)
        if one.name in names:
            reading.problems.append(problem_at(node, "E309", f"the name {one.name!r} stands twice"))
        names.add(one.name)
        hashes = one.token_hashes + (one.routing_key_hashes if isinstance(one, SourceSettings) else ())
        for digest in hashes:
            owner = owners.setdefault((getattr(one, "kind", ""), digest), one.name)
            if owner != one.name:
                message = f"{one.name} has the same credential as {owner}"
                reading.problems.append(problem_at(node, "E310", message, "make another with `tocsin token`"))
