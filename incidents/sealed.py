"""What is written into an address and signed, so that whoever presents it need prove nothing else. Pure."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from itsdangerous import BadData, Signer

from incidents.errors import TocsinError

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Any]).decode


class BadLink(TocsinError):
    """What was followed is no link of ours, or not the whole of it."""


def seal(content: Sequence[object], key: bytes, salt: str) -> str:
    """Return plain values as the last part of an address; `salt` tells one kind of link from another.

    Nothing is compressed: what a deflate sets up costs a page more than all else that is done for its link.
    """
    text = base64.urlsafe_b64encode(_encode(content)).rstrip(b"=")
    return Signer(key, salt=salt).sign(text).decode()


def unseal(token: str, key: bytes, salt: str, most: int) -> list[Any]:
    """Return what was sealed with this key and salt; raises `BadLink`, also for what has more than `most` letters."""
    if len(token) > most:
        raise BadLink("the link is too long to be one of ours")
    try:
        text = Signer(key, salt=salt).unsign(token)
        return _decode(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
    except (BadData, binascii.Error, msgspec.DecodeError, UnicodeError) as error:
        raise BadLink("the link is not whole, or is none of ours") from error
