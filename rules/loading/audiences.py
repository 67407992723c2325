"""Reads `audiences`: who is told together, over which channels and in which words. Pure."""

from collections.abc import Mapping

from incidents.document.templates import MAX_TEMPLATE, NAMES, unknown_names
from incidents.oncall import AUDIENCE_KINDS, CUSTOMERS, INTERNAL, Audience, Channel
from rules.loading.channels import warn_of_pages_only
from rules.loading.context import Context
from rules.loading.fields import Fields
from rules.loading.mends import did_you_mean
from rules.loading.nodes import Kind
from rules.loading.sections import Sections
from rules.shapes import oncall as shapes

MAX_NAME = 100


def load_audiences(sections: Sections, channels: Mapping[str, Channel], context: Context) -> dict[str, Audience]:
    """Read the audiences by name: a list of channels, or a mapping that says more; references are checked."""
    merged = context.fields(sections.merged("audiences", "audience"), "audiences", None)
    found: dict[str, Audience] = {}
    for name, node in merged.node.entries.items():
        key = merged.node.keys[name]
        if not name.strip() or len(name) > MAX_NAME:
            context.error(key, "E304", f"an audience needs a name of at most {MAX_NAME} characters")
            continue
        kind = CUSTOMERS if name == CUSTOMERS else INTERNAL
        if node.kind is Kind.MAPPING:
            fields = context.fields(node, shapes.AUDIENCE.what, shapes.AUDIENCE.keys)
            fields.require(*shapes.AUDIENCE.needs)
            found[name] = Audience(
                name=name,
                channels=_channels(fields, "channels", channels, context),
                kind=fields.choice("kind", AUDIENCE_KINDS, kind),
                template=_template(fields),
            )
        else:
            found[name] = Audience(name=name, channels=_channels(merged, name, channels, context), kind=kind)
    return found


def _channels(fields: Fields, key: str, channels: Mapping[str, Channel], context: Context) -> tuple[str, ...]:
    named = [node for node in fields.nodes(key) if context.refer_text("channel", node)]
    warn_of_pages_only(named, channels, context)
    return tuple(dict.fromkeys(node.text for node in named))


def _template(fields: Fields) -> str:
    text = fields.string("template", "")
    unknown = unknown_names(text)
    if unknown:
        hint = did_you_mean(unknown[0], NAMES) or f"between {{{{ and }}}} stands one of {', '.join(NAMES)}"
        fields.report("template", "E310", f"template: there is no {unknown[0][:60]!r} to put in", hint)
        return ""
    if len(text) > MAX_TEMPLATE:
        fields.report("template", "E310", f"template has {len(text)} characters; at most {MAX_TEMPLATE} are allowed")
    return text
