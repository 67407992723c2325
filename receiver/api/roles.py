"""Who does what in an incident, over the API: roles given, taken and handed over, and acknowledgements taken back."""

from incidents import events
from incidents.timeline import EntryKind
from incidents.values import Role
from receiver.api import wire
from receiver.api.commands import apply, command, note_of, reply_of
from receiver.api.incidents import checked_id
from receiver.api.reading import unfit
from receiver.api.route import Call, Reply, Services
from rules.loading.mends import did_you_mean

LATELY = 5
MOST_NAMED = 20
# What a brief tells of what was done last; alerts are counted in it, and pages are no news.
WORTH_TELLING = frozenset(
    {
        EntryKind.NOTE,
        EntryKind.CORRECTIVE_ACTION,
        EntryKind.COMMUNICATION,
        EntryKind.SEVERITY_CHANGED,
        EntryKind.STATUS_REPORT,
        EntryKind.TASK,
        EntryKind.MITIGATED,
        EntryKind.REOPENED,
    }
)


def _roles(services: Services, call: Call) -> Reply:
    """Give a role; a commander who is relieved stays until the successor, who is paged, acknowledges."""
    body: wire.RoleBody = call.body
    if body.person is not None:
        _check_known(services, body.person)
    event = events.RoleGiven(
        actor=call.actor,
        role=body.role,
        person=body.person,
        at_once=not body.handover,
        lately=_lately(services, call) if body.role is Role.INCIDENT_COMMANDER else (),
    )
    done = apply(services, call, event)
    waits = done.incident.handover
    if waits is None or body.role is not Role.INCIDENT_COMMANDER:
        return reply_of(done)
    holder = done.incident.roles.incident_commander
    return reply_of(done, f"{waits.to} was asked to take over; {holder} commands until {waits.to} acknowledges.")


def _check_known(services: Services, person: str) -> None:
    people = services.api.rule_set().oncall.people
    if person not in people:
        known = ", ".join(sorted(people)[:MOST_NAMED]) or "nobody"
        hint = did_you_mean(person, people) or "People stand under `people` in the rule files."
        raise unfit("/person", f"There is no person {person!r}: there is {known}.", hint)


def _lately(services: Services, call: Call) -> tuple[str, ...]:
    """Return the last entries worth telling; raises `NotFound` for an incident that there is not."""
    name = checked_id(call)
    last: list[str] = []
    after: str | None = ""
    while after is not None:
        page = services.reads.timeline(name, kinds=WORTH_TELLING, after=after, limit=200)
        last = [*last, *(f"{entry.at:%H:%M} {entry.text}" for entry in page.entries)][-LATELY:]
        after = page.next
    return tuple(last)


def _unacknowledge(services: Services, call: Call) -> Reply:
    return reply_of(apply(services, call, events.Unacknowledge(actor=call.actor, note=note_of(call.body.note))))


ROUTES = (
    command("roles", "Give a role, take it away, or hand the command over", _roles, wire.RoleBody),
    command("unacknowledge", "Take an acknowledgement back; pages again", _unacknowledge, wire.NotedBody),
)
