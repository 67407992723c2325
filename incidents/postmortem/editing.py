"""Changes of a post-mortem by people: what they write, and how far it has come. Pure."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident
from incidents.postmortem.record import POSTMORTEM, Record
from incidents.postmortem.values import TITLES, Postmortem, PostmortemState, Section, Written
from incidents.timeline import Entry, EntryKind

_SAID = {
    PostmortemState.DRAFT: "took the post-mortem back to a draft",
    PostmortemState.REVIEW: "gave the post-mortem to review",
    PostmortemState.PUBLISHED: "published the post-mortem",
}
_STANDS = {
    PostmortemState.DRAFT: "a draft",
    PostmortemState.REVIEW: "in review",
    PostmortemState.PUBLISHED: "published",
}


class PostmortemRefused(TransitionNotAllowed):
    """A change that a post-mortem does not take as it stands; it says what to do instead."""

    def __init__(self, status: str, event: str, why: str, hint: str = "") -> None:
        super().__init__(status, event, hint)
        self.args = (f"{why}: {hint}." if hint else f"{why}.",)


def standing(kept: Postmortem, incident: Incident) -> Postmortem:
    """Return a post-mortem as it stands: what was published before its incident was opened again is a draft again."""
    if kept.state is not PostmortemState.PUBLISHED or kept.at is None:
        return kept
    is_over = incident.resolved_at is not None and incident.resolved_at <= kept.at
    return kept if is_over else replace(kept, state=PostmortemState.DRAFT, until="")


def edited(
    kept: Postmortem, texts: Mapping[Section, str], *, record: Record, actor: str, now: datetime
) -> tuple[Postmortem, Entry]:
    """Return the next version with these sections written anew (an empty text empties one), and what tells of it.

    Raises `PostmortemRefused` for a published one.
    """
    if kept.state is PostmortemState.PUBLISHED:
        why = "What is published is not written in"
        raise PostmortemRefused(kept.state.value, "PostmortemEdited", why, "take the post-mortem back to a draft first")
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

    What is published ends with the last entry there was: later ones do not change it. Raises `PostmortemRefused` for
    the state that it has, and for an incident that is open where it is to be published.
    """
    if state is kept.state:
        raise PostmortemRefused(state.value, "PostmortemMoved", f"The post-mortem is {_STANDS[state]} already")
    if state is PostmortemState.PUBLISHED and record.incident.is_open:
        status = record.incident.status.value
        why = f"{record.incident.id} is {status}, and the post-mortem of an open incident is not published"
        raise PostmortemRefused(status, "PostmortemMoved", why, "resolve or dismiss the incident first")
    until = record.last_entry if state is PostmortemState.PUBLISHED else ""
    after = _next(replace(kept, state=state, until=until), record, actor, now)
    return after, _entry(f"{actor} {_SAID[state]}", after, actor, now, {"state": state.value})


def _next(kept: Postmortem, record: Record, actor: str, now: datetime) -> Postmortem:
    return replace(kept, version=kept.version + 1, at=now, by=actor, alerts=record.alerts, severities=record.severities)


def _entry(text: str, after: Postmortem, actor: str, now: datetime, data: Mapping[str, object]) -> Entry:
    told = {"document": POSTMORTEM, "version": after.version, **data}
    return Entry(at=now, kind=EntryKind.DOCUMENT_EDITED, actor=actor, text=text, data=told)
