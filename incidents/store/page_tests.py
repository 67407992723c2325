"""Test pages: kept for a day beside the pages, under ids that no incident has."""

import secrets
from datetime import datetime
from typing import Any

import msgspec

from incidents import keys
from incidents.errors import NotFound
from incidents.events import PageDelivered, PageFailed, PageSuppressed
from incidents.page_test import TEST_PREFIX, PageTest, is_test, page_of
from incidents.store.commit import page_commands
from incidents.store.connection import Command, Link, checked
from incidents.store.idempotency import along

KEPT_SECONDS = 86_400
_DIGITS = 16
_ENCODER = msgspec.json.Encoder()
_TEST = msgspec.json.Decoder(PageTest)


def begin_test(link: Link, person: str, by: str, ruleset: str, now: datetime) -> PageTest:
    """Make a test page due and return the test; raises `StoreUnavailable`."""
    test = PageTest(id=TEST_PREFIX + secrets.token_hex(_DIGITS // 2), person=person, by=by, at=now)
    key = keys.page_test(test.id)
    commands: list[Command] = [("HSET", key, "test", _ENCODER.encode(test)), ("EXPIRE", key, KEPT_SECONDS)]
    commands += page_commands([page_of(test, ruleset)])
    checked(link.ask([("MULTI",), *commands, *along(test.id), ("EXEC",)]))
    return test


def read_test(link: Link, name: str) -> PageTest:
    """Return how far a test has come; raises `NotFound`."""
    digits = name.removeprefix(TEST_PREFIX)
    fits = is_test(name) and len(digits) == _DIGITS and set(digits) <= set("0123456789abcdef")
    stored, ended, acknowledged = (
        link.one("HMGET", keys.page_test(name), "test", "ended", "acknowledged")
        if fits
        else (
            None,
            None,
            None,
        )
    )
    if stored is None:
        raise NotFound("page test", name[:64])
    fields: dict[str, Any] = msgspec.json.decode(stored)
    for more in (ended, acknowledged):
        fields |= msgspec.json.decode(more) if more is not None else {}
    return _TEST.decode(_ENCODER.encode(fields))


def end_command(name: str, event: PageDelivered | PageFailed | PageSuppressed, now: datetime) -> Command:
    """Return what remembers how an attempt ended."""
    ended: dict[str, Any] = {}
    if isinstance(event, PageDelivered):
        ended = {"channel": event.channel, "delivered_at": now, "failed": "", "is_over": True}
    elif isinstance(event, PageFailed):
        ended = {"channel": event.channel, "failed": event.error, "is_over": event.again_at is None}
    return ("HSET", keys.page_test(name), "ended", _ENCODER.encode(ended))


def acknowledge_test(link: Link, name: str, person: str, now: datetime) -> bool:
    """Acknowledge a test; False where somebody did before."""
    read_test(link, name)
    said = _ENCODER.encode({"acknowledged_by": person, "acknowledged_at": now})
    return bool(link.one("HSETNX", keys.page_test(name), "acknowledged", said))
