"""Takes obvious credentials out of text that is kept for people to read. Pure."""

import re

REDACTED = "[redacted]"

_NAME = r"(?:authorization|password|passwd|secret|token|api[_-]?key|routing[_-]?key|credentials?|cookie|dsn)"
_RULES = (
    # the credentials of an Authorization header
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    # "password": "..." in JSON, also with a longer name around it
    (
        re.compile(rf'("[^"\\]{{0,40}}{_NAME}[^"\\]{{0,40}}"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.IGNORECASE),
        rf'\1"{REDACTED}"',
    ),
    # password=..., token: ... in prose or a query string
    (
        re.compile(rf"({_NAME}\s*[=:]\s*)(?!Bearer|Basic)[^\s\"'&,;\\]+", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
    # the user and password of an address
    (re.compile(r"(://)[^\s/@\"\\]{1,300}@"), rf"\1{REDACTED}@"),
)


def redact(text: str) -> str:
    """Return the text without what looks like a credential."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
