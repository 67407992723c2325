"""Style, script and icon: read once, named by what is in them, so that browsers may keep them for ever."""

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from flask import Response, request

from receiver.problems import Problem

FOLDER = Path(__file__).parent / "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
_KEEP = "public, max-age=31536000, immutable"
_DIGITS = 16


class Asset(NamedTuple):
    """One file as it is sent."""

    digest: str
    kind: str
    body: bytes
    packed: bytes


@cache
def known() -> dict[str, Asset]:
    """Return every file by its name."""
    found = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in KINDS:
            body = path.read_bytes()
            digest = sha256(body).hexdigest()[:_DIGITS]
            found[path.name] = Asset(digest, KINDS[path.suffix], body, gzip.compress(body, 9, mtime=0))
    return found


def address_of(name: str) -> str:
    """Return the path of a file; it changes with what is in it."""
    return f"/assets/{known()[name].digest}/{name}"


def answer(digest: str, name: str) -> Response:
    """Answer with a file; an address of another version is not found, so that no old page keeps new contents."""
    asset = known().get(name)
    if asset is None or digest != asset.digest:
        raise Problem(404, "There is nothing at this address.", hint="Load the page again.")
    headers = {"Cache-Control": _KEEP, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, content_type=asset.kind)
    return Response(asset.body, headers=headers, content_type=asset.kind)
