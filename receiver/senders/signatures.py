"""Tells which source signed a body. Pure: headers, the exact bytes and the configured secrets in, a source out.

Every secret is tried and every comparison takes the same time, so that neither the answer nor its timing tells which
secret was nearly right. Of the candidates that a header holds, few are looked at.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from receiver.auth import Source

MOST_CANDIDATES = 8
WINDOW = timedelta(minutes=5)  # how far a signed time may be from ours, so that a delivery cannot be played again later
MAX_ID = 256

_is_hex = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE).fullmatch
_is_seconds = re.compile(r"[0-9]{1,12}", re.ASCII).fullmatch
_STANDARD_PREFIX = "whsec_"


def pagerduty_candidates(header: str) -> list[bytes]:
    """Return the digests in `X-PagerDuty-Signature` (`v1=HEX`, several of them while a secret is rotated)."""
    found = []
    for part in header.split(",", MOST_CANDIDATES * 2)[: MOST_CANDIDATES * 2]:
        version, _, digest = part.strip().partition("=")
        if version == "v1" and _is_hex(digest):
            found.append(bytes.fromhex(digest))
    return found[:MOST_CANDIDATES]


def hex_candidates(header: str) -> list[bytes]:
    """Return the one digest in a header that holds nothing else (`sha256=` may stand before it)."""
    digest = header.strip().removeprefix("sha256=")
    return [bytes.fromhex(digest)] if _is_hex(digest) else []


def standard_candidates(header: str) -> list[bytes]:
    """Return the digests in `webhook-signature` (`v1,BASE64`, several with spaces between)."""
    found = []
    for part in header.split(" ", MOST_CANDIDATES * 2)[: MOST_CANDIDATES * 2]:
        version, _, digest = part.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(digest, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found[:MOST_CANDIDATES]


def signer_of(
    sources: Sequence[Source],
    candidates: Sequence[bytes],
    signed: Sequence[bytes],
    *,
    secret_of: Callable[[bytes], bytes] = lambda secret: secret,
) -> Source | None:
    """Return whose secret made one of the candidates over the `signed` parts (HMAC-SHA256)."""
    found: Source | None = None
    for source in sources:
        for secret in source.signing_secrets:
            digest = hmac.new(secret_of(secret), digestmod=hashlib.sha256)
            for part in signed:
                digest.update(part)
            made = digest.digest()
            for candidate in candidates:
                if hmac.compare_digest(candidate, made):
                    found = source
    return found


def is_recent(seconds: str, now: datetime) -> bool:
    """Tell whether a signed time (seconds since 1970) is near enough to now."""
    if not _is_seconds(seconds):
        return False
    return abs(int(seconds) - now.timestamp()) <= WINDOW.total_seconds()


def is_standard_id(text: str) -> bool:
    """Tell whether an id may be signed: a dot in it would let another id and time give the same signed text."""
    return 0 < len(text) <= MAX_ID and "." not in text and text.isascii() and text.isprintable()


def standard_key(secret: bytes) -> bytes:
    """Return the key that a secret of Standard Webhooks stands for: `whsec_` and Base64, or the bytes as they are."""
    text = secret.decode()
    if not text.startswith(_STANDARD_PREFIX):
        return secret
    try:
        return base64.b64decode(text.removeprefix(_STANDARD_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return secret
