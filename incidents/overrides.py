"""Overrides that people make while Tocsin runs, beside those of the rule files, and how they come into force. Pure.

What is in force has one name: the hash of the rules, and after a `+` each that of the overrides and that of what was
read of calendars, where there are any. So whoever watches or compares that name sees an override as it sees new rules.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from incidents.oncall import OnCall, Override, Rotation

KEPT = timedelta(days=30)  # after their end, so that the past can be explained
MOST = 1000
LONGEST = timedelta(days=366)
_JOINT = "+"
_DIGITS = 12
_ENCODER = msgspec.json.Encoder(order="deterministic")


class MadeOverride(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody stands in for a rotation from `start` (inclusive) until `until` (exclusive); who made it, and when."""

    id: str  # `OVR-` and eight hexadecimal digits
    rotation: str
    person: str
    start: datetime
    until: datetime
    note: str = ""
    by: str = ""
    at: datetime


_DECODER = msgspec.json.Decoder(tuple[MadeOverride, ...])


def rules_of(ruleset: str) -> str:
    """Return the hash of the rule files of what is in force."""
    return ruleset.partition(_JOINT)[0]


def overrides_of(ruleset: str) -> str:
    """Return the hash of the overrides of what is in force, empty where there are none."""
    return _part(ruleset, 1)


def calendars_of(ruleset: str) -> str:
    """Return the hash of what was read of calendars, of what is in force; empty where there are none."""
    return _part(ruleset, 2)


def _part(ruleset: str, place: int) -> str:
    parts = ruleset.split(_JOINT)
    return parts[place] if place < len(parts) else ""


def joined(rules: str, overrides: str, calendars: str = "") -> str:
    """Return the name of rules together with overrides and calendars."""
    return _JOINT.join((rules, overrides, calendars)).rstrip(_JOINT)


def hash_of(made: Sequence[MadeOverride]) -> str:
    """Return the hash of overrides, empty for none."""
    return hashlib.sha256(encoded(made)).hexdigest()[:_DIGITS] if made else ""


def encoded(made: Sequence[MadeOverride]) -> bytes:
    """Return overrides as they are stored."""
    return _ENCODER.encode(tuple(made))


def decoded(stored: bytes) -> tuple[MadeOverride, ...]:
    """Return overrides as they were made, first to last."""
    return _DECODER.decode(stored)


def kept(made: Sequence[MadeOverride], now: datetime) -> tuple[MadeOverride, ...]:
    """Return the overrides but those that have been over for long."""
    return tuple(each for each in made if each.until > now - KEPT)


def without(made: Sequence[MadeOverride], name: str, now: datetime) -> tuple[MadeOverride, ...]:
    """Return overrides of which one ends now; one that has not begun is gone, one that is over stays as it was."""
    left = []
    for each in made:
        if each.id != name or each.until <= now:
            left.append(each)
        elif each.start < now:
            left.append(msgspec.structs.replace(each, until=now))
    return tuple(left)


def overlapped(new: MadeOverride, made: Sequence[MadeOverride]) -> tuple[str, ...]:
    """Return the ids of the overrides of the same rotation that a new one takes precedence over for a while."""
    return tuple(
        each.id
        for each in made
        if each.rotation == new.rotation and each.start < new.until and new.start < each.until and each.id != new.id
    )


def with_overrides(oncall: OnCall, made: Sequence[MadeOverride]) -> OnCall:
    """Return on-call settings under overrides: later ones take precedence, and all of them over those of the files.

    One whose rotation or person the files no longer have is left out.
    """
    rotations: dict[str, Rotation] = dict(oncall.rotations)
    for each in made:
        rotation = rotations.get(each.rotation)
        if rotation is not None and each.person in oncall.people:
            override = Override(start=each.start, until=each.until, person=each.person, note=each.note)
            rotations[each.rotation] = msgspec.structs.replace(rotation, overrides=(*rotation.overrides, override))
    return msgspec.structs.replace(oncall, rotations=rotations)
