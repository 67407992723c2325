"""Tokens of sources and of the API: made here, shown once, and from then on known by their SHA-256 digest alone.

Without any configuration a source token and an admin token are kept in files of the data directory, readable by the
owner only, so that there is never an open door.
"""

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple

PREFIX = "toc_"
SOURCE_TOKEN_FILE = "source.token"  # noqa: S105 - the name of a file
ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 - the name of a file

_SHA256 = re.compile(r"sha256:([0-9a-fA-F]{64})")


class Token(NamedTuple):
    """A new token: `text` is for the sender, `digest` ("sha256:HEX") may stand in the configuration."""

    text: str
    digest: str


def new_token() -> Token:
    """Make a token of 32 random bytes."""
    text = PREFIX + secrets.token_urlsafe(32)
    return Token(text, "sha256:" + token_hash(text).hex())


def token_hash(text: str) -> bytes:
    """Return the SHA-256 digest of a token as it is sent."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def configured_hash(text: str) -> bytes:
    """Return the digest of a token as it is configured, plain or `sha256:HEX`; raises ValueError for a broken one."""
    if not text.startswith("sha256:"):
        return token_hash(text)
    found = _SHA256.fullmatch(text)
    if found is None:
        raise ValueError("sha256: must be followed by 64 hexadecimal digits, as `tocsin token` prints them")
    return bytes.fromhex(found[1])


def keep_token(path: Path) -> str:
    """Return the token in the file (mode 0600), made now if there is none; raises OSError when it cannot be kept."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = new_token().text
    # Written aside and linked into place: two processes that start together agree, and no reader sees half a token.
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, text.encode() + b"\n")
        os.fsync(descriptor)
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            text = path.read_text(encoding="utf-8").strip()
    finally:
        os.close(descriptor)
        aside.unlink()
    if not text:
        raise OSError(f"{path} is empty; remove it, and a new token is made")
    return text
