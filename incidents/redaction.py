"""Takes credentials out of what is kept and shown: labels, annotations, texts, logs. Pure.

A credential is known by the name that it goes by (`password`, `api_key`) or by its own form (`Bearer ...`, the user
and password of an address, tokens of known makers). One look over the bytes of many alerts tells that there is none,
which is nearly always; only where it finds something is anything read again. All expressions are RE2: none can be slow.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import re2
from msgspec.structs import replace

from incidents.alert import Alert
from incidents.incoming import Incoming

REDACTED = "[redacted]"
_MARK = REDACTED.encode()

_NAME = (
    r"(?:pass(?:word|wd|phrase|code)s?|pwd|secrets?|token|authorization|credentials?|cookies?|dsn"
    r"|(?:api|access|secret|private|routing|integration|service|signing|encryption|account|licen[sc]e|shared|master|auth)"
    r"[_ -]?key)"
)
_ASSIGN = r"\s*[=:]\s*"
_PEM = "[A-Z ]*PRIVATE KEY-----"
# Words that follow "Bearer" where people write about it.
_PROSE = frozenset(
    b"auth authentication authorization credential credentials error failed failure header headers invalid missing "
    b"scheme security token tokens".split()
)
_SCHEMES = (b"bearer", b"basic", b"digest", b"token", b"apikey")

Found = Any  # a match of RE2, which has no types


def _options(*, captures: bool) -> Any:  # noqa: ANN401 - RE2 has no types
    options = re2.Options()
    options.never_capture = not captures
    options.encoding = re2.Options.Encoding.LATIN1  # bytes
    options.case_sensitive = False
    options.log_errors = False
    return options


class _Rule(NamedTuple):
    """What one kind of credential looks like; `hint` is found in every text, also as JSON, that `pattern` is found in.

    The first group of the pattern stays, the rest of the match is the credential unless `spared` says otherwise.
    """

    hint: str
    pattern: str
    spared: Callable[[bytes], bool] = lambda _: False


def _is_prose(value: bytes) -> bool:
    return value.lower().rstrip(b".:=") in _PROSE


def _is_no_basic(value: bytes) -> bool:
    try:
        return b":" not in base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return True


def _is_no_secret(value: bytes) -> bool:
    """Spare what another rule has dealt with, addresses such as `token://`, and directories (`PWD=/srv`)."""
    return value.lower() in _SCHEMES or value.startswith((_MARK[:-1], b"/"))


_HINT_NAME = rf"{_NAME}(?:\\[a-z]|[\"'\\\s])*[=:]"
_RULES = (
    _Rule(_HINT_NAME, rf"(authorization[\"'\\]*{_ASSIGN}[\"'\\]*(?:[a-z]+\s+)?)([^\s\"'\\,;]+)", _is_no_secret),
    _Rule(r"bearer(?:\\[a-z]|\s)", r"(\bbearer\s+)([a-z0-9._~+/=-]{6,})", _is_prose),
    _Rule(r"basic(?:\\[a-z]|\s)", r"(\bbasic\s+)([a-z0-9+/=]{6,})", _is_no_basic),
    # "password": "..." in JSON, in JSON within JSON, and in single quotes
    _Rule(_HINT_NAME, rf"({_NAME}[\"']?{_ASSIGN}\")((?:[^\"\\]|\\.)+)"),
    _Rule(_HINT_NAME, rf"({_NAME}\\[\"']{_ASSIGN}\\\")((?:[^\"\\]|\\[^\"])+)"),
    _Rule(_HINT_NAME, rf"({_NAME}[\"']?{_ASSIGN}')([^']+)"),
    # password=..., token: ... in prose or in a query
    _Rule(_HINT_NAME, rf"({_NAME}[\"'\\]*{_ASSIGN})([^\s\"'&,;\\}}]+)", _is_no_secret),
    _Rule(rf"--[\w-]*{_NAME}", rf"(--[\w-]*{_NAME}\s+)([^\s\"'\\]+)"),
    _Rule(r"[?&](?:sig|signature|x-amz-signature)=", r"([?&](?:sig|signature|x-amz-signature)=)([^\s\"'&\\]+)"),
    # the user and password of an address
    _Rule(r"://[^\s/@\"]+@", r"(://)([^\s/@\"\\]+)@"),
    # tokens of known makers: ours, AWS, Slack, PagerDuty, GitHub, GitLab, Grafana, Google, Stripe, webhooks, JWT, PEM
    _Rule(r"toc_[\w-]{20}", r"(\b)(toc_[\w-]{20,})"),
    _Rule(r"A[KS]IA[A-Z0-9]{16}", r"(\b)(A[KS]IA[A-Z0-9]{16}\b)"),
    _Rule(r"xox[a-z]-", r"(\b)(xox[a-z]-[\w-]{8,})"),
    _Rule(
        r"hooks\.slack\.com/|/api/webhooks/|/webhookb2/",
        r"(hooks\.slack\.com/[a-z]+/|/api/webhooks/|/webhookb2/)([^\s\"'\\]+)",
    ),
    _Rule(r"pd(?:us|eu)\+", r"(\b)(pd(?:us|eu)\+[\w-]{10,})"),
    _Rule(r"R0[0-9A-Z]{30}", r"(\b)((?-i:R0[0-9A-Z]{30})\b)"),
    _Rule(r"events\.(?:eu\.)?pagerduty\.com/integration/", r"(pagerduty\.com/integration/)([^\s\"'/\\]+)"),
    _Rule(r"gh[pousr]_|github_pat_|glpat-|glsa_", r"(\b)((?:gh[pousr]_|github_pat_|glpat-|glsa_)[\w-]{16,})"),
    _Rule(r"AIza[\w-]{30}", r"(\b)(AIza[\w-]{30,})"),
    _Rule(r"[sr]k_live_|whsec_", r"(\b)((?:[sr]k_live_|whsec_)[\w+/=-]{8,})"),
    _Rule(r"eyJ[\w-]{14}", r"(\b)((?-i:eyJ)[\w=-]{14,}(?:\.[\w=-]*){0,4})"),
    _Rule(r"PRIVATE KEY-----", rf"()(-----BEGIN {_PEM}(?s:.*?)(?:-----END {_PEM}|\z))"),
)

_HINT = "|".join(dict.fromkeys(f"(?:{rule.hint})" for rule in _RULES))
_hint = re2.compile(_HINT.encode(), _options(captures=False)).search
_is_secret_name = re2.compile(rf"{_NAME}$".encode(), _options(captures=False)).search


def _replacing(rule: _Rule) -> Callable[[bytes], bytes]:
    pattern = re2.compile(rule.pattern.encode(), _options(captures=True))

    def replaced(found: Found) -> bytes:
        whole, kept, secret = found.group(0), found.group(1), found.group(2)
        if rule.spared(secret):
            return bytes(whole)
        return bytes(kept + _MARK + whole[len(kept) + len(secret) :])

    return lambda text: bytes(pattern.sub(replaced, text))


_REPLACE = tuple(_replacing(rule) for rule in _RULES)


def needs_redaction(body: bytes) -> bool:
    """Tell whether there may be a credential in a text or in JSON; False is certain."""
    return _hint(body) is not None


def redact(text: str) -> str:
    """Return a text without the credentials in it."""
    raw = text.encode("utf-8", "surrogatepass")
    if not needs_redaction(raw):
        return text
    for replaced in _REPLACE:
        raw = replaced(raw)
    return raw.decode("utf-8", "surrogatepass")


@lru_cache(4096)
def is_secret_name(name: str) -> bool:
    """Tell whether what goes by this name is secret; names are few, and come again and again."""
    return _is_secret_name(name.encode("utf-8", "surrogatepass")) is not None


def redact_values(values: Mapping[str, str]) -> dict[str, str]:
    """Return named values: those whose names say that they are secret are hidden whole, the others are redacted."""
    return {name: REDACTED if value and is_secret_name(name) else redact(value) for name, value in values.items()}


def redact_alert(alert: Alert) -> Alert:
    """Return an alert without the credentials in its labels, annotations and address; it keeps its fingerprint."""
    return replace(
        alert,
        labels=redact_values(alert.labels),
        annotations=redact_values(alert.annotations),
        generator_url=redact(alert.generator_url),
    )


def redact_incoming(incoming: Incoming) -> Incoming:
    """Return an event without the credentials in its alert, in what was done to it, and in its action."""
    alert, touch, action = incoming.alert, incoming.touch, incoming.action
    return replace(
        incoming,
        alert=redact_alert(alert) if alert is not None else None,
        touch=replace(touch, text=redact(touch.text)) if touch is not None else None,
        action=replace(action, text=redact(action.text), labels=redact_values(action.labels)) if action else None,
    )
