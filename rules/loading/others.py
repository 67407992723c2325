"""Reads the small sections: `defaults`, `normalize`, `heartbeats`; and checks `announce`."""

from datetime import timedelta

from rules.loading.context import Context
from rules.loading.nodes import Node
from rules.loading.rules import read_identity
from rules.loading.sections import Sections
from rules.model import Defaults, Heartbeat
from rules.shapes import file as shapes
from rules.shapes.rule import DEFAULTS

MAX_NORMALIZED = 100
_SECOND, _YEAR = timedelta(seconds=1), timedelta(days=366)


def load_defaults(sections: Sections, context: Context) -> Defaults:
    """Read what rules take where they say nothing."""
    fields = context.fields(sections.merged("defaults", "default"), "defaults", DEFAULTS.keys)
    shipped = Defaults()
    return Defaults(
        identity=read_identity(context, fields) or shipped.identity,
        reopen_within=fields.duration("reopen_within", shipped.reopen_within),
    )


def load_normalize(sections: Sections, context: Context) -> dict[str, tuple[str, ...]]:
    """Read which labels give a label its value: the first that exists."""
    fields = context.fields(sections.merged("normalize", "normalized label"), "normalize", None)
    found: dict[str, tuple[str, ...]] = {}
    for key in list(fields.node.keys.values())[MAX_NORMALIZED : MAX_NORMALIZED + 1]:
        context.error(key, "E316", f"at most {MAX_NORMALIZED} labels can be normalized: each costs time for each alert")
    for name, key in list(fields.node.keys.items())[:MAX_NORMALIZED]:
        labels = fields.strings(name, (), single=True)
        if not name or not labels or "" in labels:
            context.error(key, "E316", "normalize needs the names of labels", "write it like service: [service, job]")
        found[name] = tuple(label for label in labels if label)
    return found


def check_announce(sections: Sections, context: Context) -> None:
    """Check that the channels that are told of every incident exist."""
    for node in sections.items("announce"):
        context.refer_text("channel", node)


def load_heartbeats(sections: Sections, context: Context) -> tuple[Heartbeat, ...]:
    """Read the signals that must keep coming."""
    found = (_heartbeat(node, context) for node in sections.items("heartbeats"))
    return tuple(heartbeat for heartbeat in found if heartbeat is not None)


def _heartbeat(node: Node, context: Context) -> Heartbeat | None:
    fields = context.fields(node, "a heartbeat", shapes.HEARTBEAT.keys)
    if not fields.require(*shapes.HEARTBEAT.needs):
        return None
    key = fields.node.entries["id"]
    if context.identifier(key, "heartbeat"):
        context.define("heartbeat", key)
    matchers = context.matchers(fields)
    expect_every = context.positive(fields, "expect_every", least=_SECOND, most=_YEAR)
    return Heartbeat(id=key.text, matchers=matchers, expect_every=expect_every or timedelta(minutes=1))
