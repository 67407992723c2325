"""Corrections of timeline entries: an entry is never edited, a later one says how it really was, and both are shown."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from incidents import keys
from incidents.presentation import instant
from incidents.store.codec import encode
from incidents.store.connection import Command, Link
from incidents.timeline import TimelineEntry


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a later entry says of an earlier one."""

    corrects: str  # the id of the earlier one
    at: datetime
    actor: str
    text: str


_decode = msgspec.json.Decoder(Correction).decode


def correction_command(incident_id: str, correction: Correction) -> Command:
    """Return what keeps a correction beside the timeline, for whoever reads the entry that it corrects."""
    return ("RPUSH", keys.corrections(incident_id), encode(correction))


def corrected(link: Link, incident_id: str, entries: Sequence[TimelineEntry]) -> tuple[TimelineEntry, ...]:
    """Return entries with their corrections beside them, as `data.corrections`."""
    if not entries:
        return ()
    told: dict[str, list[dict[str, str | None]]] = {}
    for value in link.one("LRANGE", keys.corrections(incident_id), 0, -1):
        correction = _decode(value)
        shown = {"at": instant(correction.at), "actor": correction.actor, "text": correction.text}
        told.setdefault(correction.corrects, []).append(shown)
    if not told:
        return tuple(entries)
    return tuple(
        replace(entry, data=entry.data | {"corrections": told[entry.id]}) if entry.id in told else entry
        for entry in entries
    )
