"""Reads `teams`: which incidents are whose, and the rotations, paging policy and announcements of each. Pure."""

from collections.abc import Mapping

from incidents.oncall import Channel, Team
from incidents.teams import DEFAULT_POLICY, DEFAULT_TEAM
from rules.loading.channels import warn_of_pages_only
from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.nodes import Node
from rules.loading.oncall import load_roles
from rules.loading.sections import Sections
from rules.model import TeamRule
from rules.shapes import file as shapes


def load_teams(
    sections: Sections, channels: Mapping[str, Channel], context: Context
) -> tuple[dict[str, Team], tuple[TeamRule, ...]]:
    """Read the teams, and in the order of the files which incidents are theirs, with all references checked."""
    teams: dict[str, Team] = {}
    order: list[TeamRule] = []
    merged = sections.merged("teams", "team")
    for name, node in merged.entries.items():
        key = merged.keys[name]
        if not context.identifier(key, "team"):
            continue
        if name == DEFAULT_TEAM:
            hint = "what it has stands in roles, paging and announce themselves"
            context.error(key, "E304", "a team cannot be called 'default', for that is everybody else's", hint)
        fields = context.fields(node, "a team", shapes.TEAM.keys)
        fields.require(*shapes.TEAM.needs)
        order.append(TeamRule(team=name, matchers=context.matchers(fields)))
        teams[name] = _team(name, fields, context)
        warn_of_pages_only(fields.nodes("announce"), channels, context)
    return teams, tuple(order)


def _team(name: str, fields: Fields, context: Context) -> Team:
    roles: Node | None = fields.get("roles")
    policy, paging = fields.get("paging"), fields.string("paging", "")
    if policy is not None and paging != DEFAULT_POLICY:
        context.refer("paging policy", policy, paging)
    announce = tuple(node.text for node in fields.nodes("announce") if context.refer_text("channel", node))
    return Team(
        id=name,
        roles={} if roles is None else load_roles(roles, context),
        paging=paging or DEFAULT_POLICY,
        announce=tuple(dict.fromkeys(announce)),
    )
