"""Reads channels: one kind with its options. Secrets are never repeated in a message."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from incidents.oncall import LIFECYCLE_KINDS, Channel
from rules.loading.context import Context
from rules.loading.fields import Fields, as_string
from rules.loading.mends import did_you_mean
from rules.loading.nodes import Kind, Node
from rules.shapes.oncall import CHANNEL_KINDS, ROUTING_KEY_PATTERN

# For each kind: its options, and those of which exactly one is needed.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    kind: (tuple(own.keys), own.one_of) for kind, own in CHANNEL_KINDS.items()
}
# Services of Apprise that show something on the screen or in the log of the machine: nobody is there.
LOCAL_SERVICES = frozenset({"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
BY_APPRISE = frozenset({"discord", "email", "mail", "matrix", "ntfy", "pushover", "sms", "teams", "telegram"})
URLS = frozenset({"url", "webhook_url"})
_ROUTING_KEY = re.compile(ROUTING_KEY_PATTERN)


def read_channel(node: Node, name: str, place: Node, context: Context) -> Channel | None:
    """Read `{KIND: {options}}`, or the bare word of a kind that needs none; None when it cannot be used."""
    if node.kind is Kind.STRING and node.text == "console":
        return Channel(name=name, kind="console")
    fields = context.fields(node, "a channel", None)
    kinds = list(fields.node.entries)
    if len(kinds) != 1:
        if fields.node.kind in {Kind.MAPPING, Kind.NULL}:
            context.error(place, "E405", "a channel has exactly one kind", "write it like webhook: {url: ...}")
        return None
    kind = kinds[0]
    if kind not in KINDS:
        message = f"there is no kind of channel {kind[:60]!r}"
        through = f"{kind.lower()} goes through apprise: {{url: ...}}" if kind.lower() in BY_APPRISE else ""
        hint = through or did_you_mean(kind, KINDS) or "kinds: " + ", ".join(KINDS)
        context.error(fields.node.keys[kind], "E405", message, hint)
        return None
    return _channel(kind, name, fields.node.entries[kind], fields.node.keys[kind], context)


def warn_of_pages_only(nodes: Iterable[Node], channels: Mapping[str, Channel], context: Context) -> None:
    """Warn of channels that are to be told something and take pages only: whatever else they got would page."""
    for node in nodes:
        channel = channels.get(node.text)
        if channel is not None and channel.kind in LIFECYCLE_KINDS:
            message = f"the channel {channel.name} takes pages only: it is told nothing else"
            context.warn(node, "W332", message, "name a channel of another kind")


def _channel(kind: str, name: str, node: Node, place: Node, context: Context) -> Channel | None:
    known, needed = KINDS[kind]
    options = context.fields(node, f"a {kind} channel", known)
    given = [key for key in needed if options.get(key) is not None]
    if needed and len(given) != 1 and node.kind in {Kind.MAPPING, Kind.NULL}:
        said = "both are given" if given else "neither is given"
        context.error(place, "E405", f"a {kind} channel needs {' or '.join(needed)}; {said}")
        return None
    if options.get("secret") is not None and options.get("secret_file") is not None:
        options.report("secret_file", "E405", "secret and secret_file cannot both be given", "remove one of them")
    if kind == "webhook" and options.get("secret") is None and options.get("secret_file") is None and given:
        context.warn(place, "W309", "pages to this webhook are not signed", "add secret_file")
    entries = {key: entry for key, entry in options.node.entries.items() if key in known}
    texts = {key: as_string(entry, context.problems, key, "") for key, entry in entries.items()}
    for key, entry in entries.items():
        if entry.kind is Kind.STRING and not entry.text:
            options.report(key, "E405", f"{key} is empty")
    _check_urls(options, texts, kind)
    return Channel(name=name, kind=kind, options={key: text for key, text in texts.items() if text})


def _check_urls(options: Fields, texts: Mapping[str, str], kind: str) -> None:
    """An address or a key that is written out must be one; it may be a secret, so it is not repeated."""
    for name, text in texts.items():
        if name == "routing_key" and "url" not in texts and not _ROUTING_KEY.fullmatch(text):
            hint = "take the integration key of a service with an Events API v2 integration"
            options.report(name, "E405", "a routing key of PagerDuty has 32 letters and digits", hint)
        if name not in URLS or not text:
            continue
        if kind == "apprise":
            _check_service(options, name, text)
        elif not is_web_address(text):
            options.report(name, "E405", f"{name} is not an address", "write it like https://pager.example.org/hook")


def _check_service(options: Fields, name: str, text: str) -> None:
    scheme, separator, rest = text.partition("://")
    if not separator or not rest or not scheme.isalnum():
        hint = "write it as Apprise does, like ntfys://ntfy.example.org/topic or mailtos://user:password@example.org"
        options.report(name, "E405", f"{name} is not an address", hint)
    elif scheme.lower() in LOCAL_SERVICES:
        message = f"{scheme.lower()}:// reaches only who sits at the machine of the page worker"
        options.report(name, "E405", message, "use a service that reaches people: e-mail, ntfy, SMS")


def is_web_address(text: str) -> bool:
    """Tell whether a text is an address of HTTP."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
