"""The whole timeline of an incident as JSON Lines or Markdown; sent while it is read."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from incidents.incident import Incident
from incidents.postmortem.draft import lines_of
from incidents.postmortem.markdown import timeline_head, timeline_rows
from incidents.presentation import entry_json
from incidents.timeline import EntryKind, TimelineEntry
from receiver.api.incidents import checked_id
from receiver.api.reading import one_of, words_in
from receiver.api.records import every_entry
from receiver.api.route import Call, Parameter, Reply, Route, Services
from receiver.auth import ApiRole

JSON_LINES, MARKDOWN = "application/x-ndjson", "text/markdown; charset=utf-8"
AT_ONCE = 500


def _entries(services: Services, call: Call) -> tuple[Incident, Iterator[TimelineEntry]]:
    incident, _ = services.api.incidents.get(checked_id(call))
    kinds = frozenset(EntryKind(word) for word in words_in(call.query, "kind", EntryKind))
    return incident, every_entry(services.reads, incident.id, kinds=kinds)


def _json_lines(services: Services, call: Call) -> Reply:
    _, entries = _entries(services, call)
    return Reply(msgspec.json.encode(entry_json(entry)) + b"\n" for entry in entries)


def _markdown(services: Services, call: Call) -> Reply:
    incident, entries = _entries(services, call)
    return Reply(_pages(incident, entries))


def _pages(incident: Incident, entries: Iterator[TimelineEntry]) -> Iterator[bytes]:
    """Yield the table in pieces."""
    yield timeline_head(incident).encode()
    while some := tuple(islice(entries, AT_ONCE)):
        yield timeline_rows(lines_of(some)).encode()


KIND = Parameter(
    name="kind",
    description="Only entries of these kinds.",
    schema=one_of(kind.value for kind in EntryKind),
    many=True,
)

ROUTES = (
    Route(
        method="GET",
        path="/incidents/{incident_id}/timeline.jsonl",
        role=ApiRole.VIEWER,
        summary="Export the whole timeline as JSON Lines, an entry each",
        handler=_json_lines,
        answer=bytes,
        media_type=JSON_LINES,
        query=(KIND,),
    ),
    Route(
        method="GET",
        path="/incidents/{incident_id}/timeline.md",
        role=ApiRole.VIEWER,
        summary="Export the whole timeline as Markdown",
        handler=_markdown,
        answer=bytes,
        media_type=MARKDOWN,
        query=(KIND,),
    ),
)
