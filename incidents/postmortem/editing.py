"""Changes of a post-mortem by people: what they write, and how far it has come. Pure."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from incidents.errors import TransitionNotAllowed
from incidents.postmortem.record import POSTMORTEM, Record
from incidents.postmortem.values import TITLES, Postmortem, PostmortemState, Section, Written
from incidents.timeline import Entry, EntryKind

_SAID = {
    PostmortemState.DRAFT: "took the post-mortem back to a draft",
    PostmortemState.REVIEW: "gave the post-mortem to review",
    PostmortemState.PUBLISHED: "published the post-mortem",
}


def edited(
    kept: Postmortem, texts: Mapping[Section, str], *, record: Record, actor: str, now: datetime
) -> tuple[Postmortem, Entry]:
    """Return the next version with these sections written anew (an empty text empties one), and what tells of it.

    Raises `TransitionNotAllowed` for a published one.
    """
    if kept.state is PostmortemState.PUBLISHED:
        hint = "take it back to a draft first"
        raise TransitionNotAllowed(f"{kept.state.value} as a post-mortem", "PostmortemEdited", hint)
    sections = dict(kept.sections)
    for section, text in texts.items():
        if text:
            sections[section] = Written(text=text, by=actor, at=now)
        else:
            sections.pop(section, None)
    after = _next(
        replace(kept, sections={each: sections[each] for each in Section if each in sections}), record, actor, now
    )
    named = ", ".join(TITLES[section] for section in Section if section in texts)
    data = {"sections": [section.value for section in Section if section in texts]}
    return after, _entry(f"{actor} wrote in the post-mortem: {named}", after, actor, now, data)


def moved(
    kept: Postmortem, state: PostmortemState, *, record: Record, actor: str, now: datetime
) -> tuple[Postmortem, Entry]:
    """Return the next version in another state, and what tells of it.

    What is published ends with the last entry there was: later ones do not change it. Raises `TransitionNotAllowed` for
    the state that it has, and for an incident that is open where it is to be published.
    """
    if state is kept.state:
        raise TransitionNotAllowed(f"{state.value} as a post-mortem", "PostmortemMoved", "it has that state already")
    if state is PostmortemState.PUBLISHED and record.incident.is_open:
        hint = "resolve or dismiss the incident first"
        raise TransitionNotAllowed(record.incident.status.value, "PostmortemMoved", hint)
    until = record.last_entry if state is PostmortemState.PUBLISHED else ""
    after = _next(replace(kept, state=state, until=until), record, actor, now)
    return after, _entry(f"{actor} {_SAID[state]}", after, actor, now, {"state": state.value})


def _next(kept: Postmortem, record: Record, actor: str, now: datetime) -> Postmortem:
    return replace(kept, version=kept.version + 1, at=now, by=actor, alerts=record.alerts, severities=record.severities)


def _entry(text: str, after: Postmortem, actor: str, now: datetime, data: Mapping[str, object]) -> Entry:
    told = {"document": POSTMORTEM, "version": after.version, **data}
    return Entry(at=now, kind=EntryKind.DOCUMENT_EDITED, actor=actor, text=text, data=told)
