"""What people do to the live state document: they write its parts, add stakeholders, give tasks; and its reviews. Pure.

Every version of a written part is kept. Who writes over what they have not read is refused.
"""

from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.document.review import in_words, reviewed_at, update_every
from incidents.document.values import MOST_STAKEHOLDERS, MOST_TASKS, WRITTEN, Edited, Part, Task, Version
from incidents.document.versions import ANY, declared_summary, report_version, summary_version, tag_of
from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident, Stakeholder
from incidents.page import Page
from incidents.timeline import Entry, EntryKind
from incidents.transitions.communications import tell_person
from incidents.transitions.held import is_held
from incidents.transitions.outcome import Context, Transition, changed, unchanged
from incidents.transitions.people import on_it
from incidents.values import Role

SHOWN = 200  # characters of a text that an entry repeats


class StaleDocument(TransitionNotAllowed):
    """Somebody wrote a part of the document since it was read; `tag` names the versions that there are now."""

    def __init__(self, incident: Incident, seen: str) -> None:
        self.tag = tag_of(incident)
        self.seen = seen
        super().__init__(incident.status.value, "DocumentEdited", "the document was edited since it was read")


def document_edited(incident: Incident, event: events.DocumentEdited, context: Context, now: datetime) -> Transition:
    """Write parts of the document anew, as long as the versions are those that were read."""
    del context
    if event.seen not in {ANY, tag_of(incident)}:
        raise StaleDocument(incident, event.seen)
    after, entries, written = incident, [], []
    if event.summary is not None and event.summary != incident.summary:
        first = declared_summary(incident)
        version = _version(Part.SUMMARY, summary_version(incident) + 1, event.summary, event.actor, now)
        written += [first, version] if first is not None else [version]
        entries.append(_edit_entry(version, EntryKind.DOCUMENT_EDITED, "summary"))
        after = replace(after, summary=event.summary, summary_edit=_edited(version))
    if event.status_report is not None:
        version = _version(Part.STATUS_REPORT, report_version(incident) + 1, event.status_report, event.actor, now)
        written.append(version)
        entries.append(_edit_entry(version, EntryKind.STATUS_REPORT, "status report"))
        after = replace(after, status_report=_edited(version))
    if not written:
        return unchanged("nothing is different")
    done = changed(incident, on_it(after, event.actor, now), tuple(entries), reason="document edited")
    return done._replace(written=tuple(written))


def _version(part: Part, number: int, text: str, actor: str, now: datetime) -> Version:
    assert part in WRITTEN  # noqa: S101 - the other parts are made of what happens
    return Version(part=part, version=number, at=now, by=actor, text=text)


def _edited(version: Version) -> Edited:
    return Edited(version=version.version, at=version.at, by=version.by)


def _edit_entry(version: Version, kind: EntryKind, name: str) -> Entry:
    said = f": {shortened(version.text)}" if version.text else ", and left it empty"
    text = f"{version.by} wrote version {version.version} of the {name}{said}"
    data = {"part": version.part.value, "version": version.version}
    return Entry(at=version.at, kind=kind, actor=version.by, text=text, data=data)


def shortened(text: str, most: int = SHOWN) -> str:
    """Return a text as one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


# ------------------------------------------------------------------------------------------------------- stakeholders


def stakeholder_added(
    incident: Incident, event: events.StakeholderAdded, context: Context, now: datetime
) -> Transition:
    """Add who has to know, or correct what is known of them."""
    del context
    new = Stakeholder(name=event.name, kind=event.kind, external=event.external, at=now, by=event.actor)
    known = next((each for each in incident.stakeholders if each.name == event.name), None)
    if known is not None and (known.kind, known.external) == (new.kind, new.external):
        return unchanged(f"{event.name} is a stakeholder already")
    if known is None and len(incident.stakeholders) >= MOST_STAKEHOLDERS:
        hint = f"it has {MOST_STAKEHOLDERS} stakeholders, and takes no more: name groups"
        raise TransitionNotAllowed(incident.status.value, "StakeholderAdded", hint)
    others = tuple(new if each is known else each for each in incident.stakeholders)
    after = replace(incident, stakeholders=others if known is not None else (*others, new))
    where = "external" if event.external else "internal"
    said = "is now known as" if known is not None else "has to know:"
    text = f"{event.name} {said} {event.kind}, {where}"
    data = {"name": event.name, "kind": event.kind, "external": event.external}
    entry = Entry(at=now, kind=EntryKind.STAKEHOLDER_ADDED, actor=event.actor, text=text, data=data)
    return changed(incident, after, (entry,), reason="stakeholder added")


# --------------------------------------------------------------------------------------------------------------- tasks


def task_given(incident: Incident, event: events.TaskGiven, context: Context, now: datetime) -> Transition:
    """Give a task, or write down what became of one; to whom it is given is told."""
    before = _task_meant(incident, event)
    if before is None:
        if len(incident.tasks) >= MOST_TASKS:
            hint = f"it has {MOST_TASKS} tasks, and takes no more"
            raise TransitionNotAllowed(incident.status.value, "TaskGiven", hint)
        before = Task(id=f"task-{len(incident.tasks) + 1}", text=event.text, by=event.actor, at=now)
        tasks = (*incident.tasks, before)
        is_new = True
    else:
        tasks, is_new = incident.tasks, False
    after = _task_after(before, event, now)
    if not is_new and after == before:
        return unchanged("nothing is different")
    changed_tasks = tuple(after if each.id == after.id else each for each in tasks)
    entry = _task_entry(before, after, event.actor, now, is_new=is_new)
    done = replace(on_it(incident, event.actor, now), tasks=changed_tasks)
    pages: tuple[Page, ...] = ()
    told_anew = after.person and after.done_at is None and (is_new or after.person != before.person)
    if told_anew and after.person != event.actor:
        pages = tell_person(incident, after.person, f"{event.actor} asks you to: {after.text}", context, now)
    return changed(incident, done, (entry,), pages, reason="task done" if after.done_at else "task given")


def _task_meant(incident: Incident, event: events.TaskGiven) -> Task | None:
    """Return the task that an event is about: by its id, or one that is ticked off by its words; None for a new one."""
    if event.task:
        found = next((each for each in incident.tasks if each.id == event.task), None)
        if found is None:
            known = ", ".join(each.id for each in incident.tasks[-20:]) or "none"
            hint = f"there is no task {event.task!r}; there is {known}"
            raise TransitionNotAllowed(incident.status.value, "TaskGiven", hint)
        return found
    if not event.done:
        return None
    said = event.text.casefold()
    return next((each for each in incident.tasks if each.done_at is None and each.text.casefold() == said), None)


def _task_after(task: Task, event: events.TaskGiven, now: datetime) -> Task:
    if event.text and event.task:
        task = replace(task, text=event.text)
    if event.person is not None:
        task = replace(task, person=event.person)
    if event.done and task.done_at is None:
        return replace(task, done_at=now, done_by=event.actor)
    if event.done is False and task.done_at is not None:
        return replace(task, done_at=None, done_by="")
    return task


def _task_entry(before: Task, after: Task, actor: str, now: datetime, *, is_new: bool) -> Entry:
    to = f" of {after.person}" if after.person else ""
    if after.done_at is not None and (is_new or before.done_at is None):
        text = f"{actor} ticked off the task {after.id}{to}: {after.text}"
    elif is_new:
        text = f"{actor} asked {after.person}: {after.text}" if after.person else f"{actor} noted a task: {after.text}"
    else:
        opened = "opened again" if before.done_at is not None else "changed"
        text = f"{actor} {opened} the task {after.id}{to}: {after.text}"
    data = {"id": after.id, "person": after.person or None, "done": after.done_at is not None}
    return Entry(at=now, kind=EntryKind.TASK, actor=actor, text=text, data=data)


# -------------------------------------------------------------------------------------------------------------- review


def review_due(incident: Incident, event: events.ReviewDue, context: Context, now: datetime) -> Transition:
    """Remind whoever tracks the state that the status report is due; once a period, however late the timer runs."""
    del event
    every = update_every(incident, context.oncall)
    if every is None or incident.review_due_at is None or now < incident.review_due_at:
        return unchanged("no review is due")
    following = incident.review_due_at + every
    after = replace(incident, review_due_at=following if following > now else now + every)
    to = incident.roles.communications or incident.roles.incident_commander
    age = in_words(now - reviewed_at(incident))
    if incident.status_report is None:
        text = f"Review due: there is no status report yet, after {age}"
    else:
        text = f"Review due: the status report is {age} old"
    asked = f"{text}; {incident.severity} asks for one every {in_words(every)}"
    role = Role.COMMUNICATIONS if incident.roles.communications else Role.INCIDENT_COMMANDER
    data = {"part": Part.STATUS_REPORT.value, "person": to, "role": role.value if to else None}
    entry = Entry(at=now, kind=EntryKind.REMINDER, text=asked, data=data)
    pages = () if to is None or is_held(incident) else tell_person(after, to, asked, context, now)
    return changed(incident, after, (entry,), pages, reason="reminded")
