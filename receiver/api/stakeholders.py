"""Who has to know of an incident, over the API, beside those whom rules, severities and SLOs name."""

from typing import Literal

from incidents import events
from receiver.api import texts, wire
from receiver.api.commands import apply, command, reply_of
from receiver.api.reading import unfit
from receiver.api.route import Call, Reply, Services


class StakeholderBody(wire.Body, frozen=True, kw_only=True):
    """Somebody who has to know: a person, a group or a customer; `external`: outside of the organisation."""

    name: wire.Name
    kind: Literal["engineer", "communications", "management", "customer", "other"]
    external: bool = False


def _add(services: Services, call: Call) -> Reply:
    body: StakeholderBody = call.body
    name = texts.one_line(body.name)
    if not name:
        raise unfit("/name", "The name is empty.")
    event = events.StakeholderAdded(actor=call.actor, name=name, kind=body.kind, external=body.external)
    return reply_of(apply(services, call, event))


ROUTES = (command("stakeholders", "Say who else has to know", _add, StakeholderBody),)
