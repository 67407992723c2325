"""What keeps the pages from being used by others: their headers, the token of forms, where a redirect may go. Pure."""

import hmac
import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus

from flask import Response, request

from receiver.problems import Problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding, Cookie",
}
RAW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
_is_local = re.compile(r"/(?![/\\])[^\\\x00-\x20]*", re.ASCII).fullmatch
_HEX = re.compile(r"[0-9a-f]{128}").fullmatch


# Programs ask below these, whatever they say that they accept.
_PROGRAMS = ("/api/", "/webhooks/", "/v2/", "/-/", "/metrics", "/assets/")


def is_for_a_person() -> bool:
    """Tell whether an address that is not there was asked for by a browser, and not by a program."""
    asks = request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", "")
    return asks and not request.path.startswith(_PROGRAMS)


def local(there: str) -> str:
    """Return a path of ours to go on to, and `/` for every other address."""
    return there if len(there) <= 1024 and _is_local(there) else "/"


def see_other(there: str) -> Response:
    """Return the answer that sends a browser on to a path of ours, by GET."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": local(there)})


def credential_of(digest: bytes) -> str:
    """Return what a session keeps of a token: enough to know it again, and of no use to whoever reads the store."""
    return sha256(b"session " + digest).hexdigest()


def masked(csrf: str) -> str:
    """Return the token of forms, other in each answer: a compressed answer must not tell it by its length."""
    secret = bytes.fromhex(csrf)
    pad = secrets.token_bytes(len(secret))
    return (pad + bytes(a ^ b for a, b in zip(pad, secret, strict=True))).hex()


def check_csrf(form: Mapping[str, str], csrf: str) -> None:
    """Raise `Problem` 403 for a form that does not bear the token of its session, or that another site has sent."""
    given = form.get("csrf", "")
    if _HEX(given):
        raw = bytes.fromhex(given)
        half = len(raw) // 2
        found = bytes(a ^ b for a, b in zip(raw[:half], raw[half:], strict=True))
    else:
        found = b""
    if not hmac.compare_digest(found, bytes.fromhex(csrf)):
        raise Problem(
            403, "This form did not come from this session.", hint="Go back, load the page again, and send it again."
        )
    check_origin()


def check_origin(status: int = HTTPStatus.FORBIDDEN) -> None:
    """Raise `Problem` for a form that the browser says another site has sent."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Problem(status, "This form was sent by another site; nothing was done.")
