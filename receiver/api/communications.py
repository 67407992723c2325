"""What audiences are told about an incident: written down, and sent over the channels of the audience."""

from typing import Annotated

import msgspec

from incidents import events
from receiver.api import texts, wire
from receiver.api.commands import apply, command, reply_of
from receiver.api.reading import unfit
from receiver.api.route import Call, Reply, Services
from rules.loading.mends import did_you_mean

MOST_SENT = 2500  # characters: what every channel takes in one message


class CommunicationBody(wire.Body, frozen=True, kw_only=True):
    """What whom was told, over which channel; with `send` the audience is told over its channels, or that one."""

    audience: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    text: wire.Text
    channel: wire.Name | None = None
    send: bool = False


def _communicate(services: Services, call: Call) -> Reply:
    body: CommunicationBody = call.body
    audience, text = texts.one_line(body.audience), texts.lines(body.text)
    channel = texts.one_line(body.channel or "")
    for name, value in (("audience", audience), ("text", text)):
        if not value:
            raise unfit(f"/{name}", f"The {name} is empty.")
    if body.send:
        _check_channels(services, audience, channel)
        if len(text) > MOST_SENT:
            hint = "Send the short of it, and say where there is more."
            raise unfit("/text", f"A text that is sent has at most {MOST_SENT} characters, not {len(text)}.", hint)
    event = events.Communicated(actor=call.actor, audience=audience, text=text, channel=channel, send=body.send)
    done = apply(services, call, event)
    note = "It is on its way: the timeline says over which channel it arrived." if body.send else ""
    return reply_of(done, note)


def _check_channels(services: Services, audience: str, channel: str) -> None:
    """Raise `Problem` 422 for an audience that cannot be told, with those that can."""
    known = {name: each.channels for name, each in services.api.rule_set().oncall.audiences.items() if each.channels}
    if audience not in known:
        there = f"there is {', '.join(sorted(known))}" if known else "there is none"
        hint = did_you_mean(audience, known) or "Audiences stand under `audiences` in the rule files."
        raise unfit("/audience", f"No channel is configured for the audience {audience!r}: {there}.", hint)
    if channel and channel not in known[audience]:
        over = ", ".join(known[audience])
        raise unfit(
            "/channel", f"{audience} is told over {over}, not over {channel!r}.", "Leave it out for all of them."
        )


ROUTES = (
    command(
        "communications",
        "Write down what an audience was told, or tell it over its channels",
        _communicate,
        CommunicationBody,
        "Or the audience has no channels any more.",
    ),
)
