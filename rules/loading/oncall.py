"""Reads people, channels, roles and paging policies, and puts everything that paging needs together."""

from datetime import timedelta

import msgspec

from incidents.oncall import Channel, Hours, OnCall, Person, Policy, SeveritySettings, Step
from incidents.values import Role, Severity
from rules.loading.audiences import load_audiences
from rules.loading.calendars import CalendarFiles
from rules.loading.channels import read_channel, warn_of_pages_only
from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.nodes import Kind, Node
from rules.loading.rotations import load_rotations, read_hours
from rules.loading.sections import Sections
from rules.severities import SEVERITY_DEFAULTS
from rules.shapes import oncall as shapes

_SECOND, _YEAR = timedelta(seconds=1), timedelta(days=366)
_ROLES = tuple(role.value for role in Role)


def load_oncall(sections: Sections, context: Context) -> OnCall:
    """Read every section of DESIGN's chapter on on-call that paging needs, with all references checked."""
    people_node = sections.merged("people", "person")
    channels_node = sections.merged("channels", "channel")
    rotations_node = sections.merged("rotations", "rotation")
    paging_node = sections.merged("paging", "paging policy")
    channels = _channels(channels_node, context)
    people = _people(people_node, channels, context)
    warn_of_pages_only(sections.items("announce"), channels, context)
    rotations = load_rotations(rotations_node, CalendarFiles(sections.calendars, people), context)
    return OnCall(
        people=people,
        channels=channels,
        rotations=rotations,
        roles=load_roles(sections.merged("roles", "role"), context),
        policies=_policies(paging_node, context),
        severities=_severities(sections.merged("severities", "severity"), context),
        audiences=load_audiences(sections, channels, context),
        announce=tuple(dict.fromkeys(node.text for node in sections.items("announce") if node.text in channels)),
    )


def load_roles(node: Node, context: Context) -> dict[Role, str]:
    """Read which rotation holds which role."""
    fields = context.fields(node, "roles", shapes.ROLES.keys)
    roles: dict[Role, str] = {}
    for name, entry in fields.node.entries.items():
        inner = context.fields(entry, f"the role {name[:60]}", shapes.HELD_BY.keys)
        if name in _ROLES and inner.require("rotation"):
            rotation = inner.node.entries["rotation"]
            if context.refer_text("rotation", rotation):
                roles[Role(name)] = rotation.text
    return roles


def _channels(node: Node, context: Context) -> dict[str, Channel]:
    channels: dict[str, Channel] = {}
    for name, entry in node.entries.items():
        if context.identifier(node.keys[name], "channel"):
            channel = read_channel(entry, name, node.keys[name], context)
            if channel is not None:
                channels[name] = channel
    return channels


# -------------------------------------------------------------------------------------------------------------- people


def _people(node: Node, channels: dict[str, Channel], context: Context) -> dict[str, Person]:
    people: dict[str, Person] = {}
    for person_id, entry in node.entries.items():
        key = node.keys[person_id]
        if not context.identifier(key, "person"):
            continue
        if person_id in _ROLES:
            context.error(key, "E304", f"a person cannot be called {person_id!r}, for that is a role")
        before = len(context.problems)
        fields = context.fields(entry, "a person", shapes.PERSON.keys)
        people[person_id] = Person(
            id=person_id,
            name=fields.string("name", ""),
            email=fields.string("email", ""),
            timezone=context.timezone(fields),
            channels=_own_channels(fields, person_id, channels, context),
        )
        if not people[person_id].channels and len(context.problems) == before:
            message = f"{person_id} has no channel, so nobody can page {person_id}"
            context.warn(key, "W303", message, "add channels: [...]")
    return people


def _own_channels(
    fields: Fields, person_id: str, channels: dict[str, Channel], context: Context
) -> tuple[Channel, ...]:
    """Read names of channels, and channels that are written out."""
    found: list[Channel] = []
    for place, node in enumerate(fields.nodes("channels"), 1):
        if node.kind is Kind.MAPPING or (node.text == "console" and "console" not in channels):
            own = read_channel(node, f"{person_id}/{place}", node, context)
        elif context.refer_text("channel", node):
            own = channels.get(node.text)
        else:
            own = None
        if own is not None:
            found.append(own)
    return tuple(found)


# -------------------------------------------------------------------------------------------------------------- paging


def _policies(node: Node, context: Context) -> dict[str, Policy]:
    policies: dict[str, Policy] = {}
    for name, entry in node.entries.items():
        fields = context.fields(entry, "a paging policy", shapes.POLICY.keys)
        if not context.identifier(node.keys[name], "paging policy") or not fields.require("steps"):
            continue
        nodes = fields.nodes("steps")
        if fields.node.entries["steps"].kind is Kind.LIST and not nodes:
            fields.report("steps", "E407", "a paging policy needs at least one step")
        steps = tuple(_step(step, context) for step in nodes)
        hours, timezone = _hours(fields, context)
        policies[name] = Policy(
            id=name,
            steps=steps,
            rounds=fields.integer("rounds", 3, least=1, most=shapes.MAX_ROUNDS),
            hours=hours,
            timezone=timezone,
            repage_after=context.positive(fields, "repage_after", least=_SECOND, most=_YEAR),
        )
    return policies


def _hours(fields: Fields, context: Context) -> tuple[Hours | None, str]:
    """Read the hours in which a policy pages, and their zone."""
    if fields.get("hours") is None:
        return None, "UTC"
    inner = fields.fields("hours", what=shapes.POLICY_HOURS.what, known=shapes.POLICY_HOURS.keys)
    inner.require(*shapes.POLICY_HOURS.needs)
    return read_hours(context, inner), context.timezone(inner)


def _step(node: Node, context: Context) -> Step:
    fields = context.fields(node, "a step", shapes.STEP.keys)
    fields.require("page")
    listed = fields.get("page")
    nodes = [] if listed is None else listed.items if listed.kind is Kind.LIST else [listed]
    if listed is not None and not nodes:
        fields.report("page", "E407", "a step that pages nobody")
    targets = tuple(target.text for target in nodes if _is_target(target, context))
    within = fields.duration("acknowledge_within", None)
    if within is not None and not within:
        fields.report("acknowledge_within", "E206", "acknowledge_within must be at least 1s")
    return Step(page=targets, acknowledge_within=within)


def _is_target(node: Node, context: Context) -> bool:
    """Check one target of a step: a role, `rotation:NAME`, `rotation:NAME+1`, `channel:NAME`, or a person."""
    text = context.text(node, "page")
    if not text:
        return False
    kind, colon, name = text.partition(":")
    if colon and kind == "rotation":
        name, plus, ahead = name.partition("+")
        if plus and not (ahead.isascii() and ahead.isdigit() and len(ahead) <= 2):
            context.error(node, "E406", f"{text[:60]!r}: after the + stands how many turns ahead", f"rotation:{name}+1")
            return False
        return context.refer("rotation", node, name)
    if colon and kind == "channel":
        return context.refer("channel", node, name)
    if colon:
        hint = "rotation:NAME, channel:NAME, a role or a person"
        context.error(node, "E406", f"nobody can be paged as {text[:60]!r}", hint)
        return False
    return text in _ROLES or context.refer("person", node, text, also=_ROLES)


# ---------------------------------------------------------------------------------------------------------- severities


def _severities(node: Node, context: Context) -> dict[Severity, SeveritySettings]:
    """Read what each severity asks of people; what is not said stays as shipped."""
    settings = dict(SEVERITY_DEFAULTS)
    fields = context.fields(node, "severities", shapes.SEVERITIES.keys)
    for name, entry in fields.node.entries.items():
        inner = context.fields(entry, f"the severity {name[:60]}", shapes.SEVERITY_FIELDS.keys)
        base = SEVERITY_DEFAULTS.get(Severity(name)) if name in Severity.__members__ else None
        if base is not None:
            settings[Severity(name)] = msgspec.structs.replace(
                base,
                acknowledge_within=inner.duration("acknowledge_within", base.acknowledge_within),
                update_every=inner.duration("update_every", base.update_every),
                postmortem=inner.choice("postmortem", ("required", "optional", "none"), base.postmortem),
                stakeholders=inner.strings("stakeholders", base.stakeholders),
            )
    return settings
