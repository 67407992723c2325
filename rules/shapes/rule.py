"""The form of a rule: its fields, tiers, conditions and objectives."""

from collections.abc import Mapping

from incidents.values import Criterion, Role, Severity
from rules.conditions import Compare
from rules.model import Mode, Subject
from rules.shapes.fragments import (
    DURATION,
    FLAG,
    ID,
    MATCHERS,
    NAME,
    PERCENT,
    TEMPLATE,
    TEXT,
    Schema,
    Shape,
    excludes,
    key,
    lists,
    numbers,
    shape,
    words,
)

SEVERITY = words(Severity)
_NUMBER = numbers(least=-1e300, most=1e300)
_COMPARES: Mapping[Compare, str] = {
    Compare.GTE: "at least",
    Compare.GT: "more than",
    Compare.LTE: "at most",
    Compare.LT: "less than",
    Compare.EQ: "exactly",
}
_SLO = key("The id of an SLO, or a template such as {{ labels.slo }}.", TEXT)
_WITHIN = key("The window, from 1s to 30d; it slides.", DURATION)
_IDENTITY = key(
    "The labels whose values make findings the same incident, whatever rule found them.",
    lists(NAME, least=1, distinct=True),
    examples=[["service"], ["service", "dataset"]],
)
_REOPEN = key("Firing again so soon after resolved reopens the incident; 0s means never.", DURATION)
_GTE = key("How many, at least.", numbers(least=1, most=1_000_000, whole=True))


def _compares(form: Schema) -> dict[str, Schema]:
    return {compare.value: key(f"Holds when the value is {said} this.", form) for compare, said in _COMPARES.items()}


COUNT = Shape(
    what="count",
    says="So many different alerts of the identity were firing at any time in the window, however often repeated.",
    keys={"gte": _GTE, "within": _WITHIN},
    needs=("gte", "within"),
)
DISTINCT = Shape(
    what="distinct",
    says="So many different values of a label among the alerts of the window.",
    keys={"label": key("The label whose values are counted.", NAME), "gte": _GTE, "within": _WITHIN},
    needs=("label", "gte", "within"),
)
FLAPS = Shape(
    what="flaps",
    says="So many changes between firing and resolved in the window.",
    keys={"gte": _GTE, "within": _WITHIN},
    needs=("gte", "within"),
)
BURN_RATE = Shape(
    what="burn_rate",
    says="How many times faster than allowed the error budget of an SLO burns, measured in Prometheus.",
    keys={"slo": _SLO, "over": key("The window of the measurement.", DURATION), **_compares(_NUMBER)},
    needs=("slo", "over"),
    one_of=tuple(_COMPARES),
)
BUDGET_REMAINING = Shape(
    what="budget_remaining",
    says="How much of the error budget of an SLO is left, measured in Prometheus.",
    keys={"slo": _SLO, **_compares(PERCENT)},
    needs=("slo",),
    one_of=tuple(_COMPARES),
)
QUERY = Shape(
    what="query",
    says="One number that Prometheus is asked for.",
    keys={"promql": key("The query; it gives one number.", NAME), **_compares(_NUMBER)},
    needs=("promql",),
    one_of=tuple(_COMPARES),
)
_MEASURED: dict[str, Schema] = {
    "burn_rate": key(BURN_RATE.says, shape("burn_rate")),
    "budget_remaining": key(BUDGET_REMAINING.says, shape("budget_remaining")),
    "query": key(QUERY.says, shape("query")),
}
_GROUP = lists(shape("when"), least=1)
CONDITION = Shape(
    what="when",
    says="Conditions; several in one mapping must all hold.",
    keys={
        "match": key("A matcher or a list of them; all must hold for the labels.", MATCHERS),
        "firing_for": key("This alert has been firing so long without a break.", DURATION),
        "count": key(COUNT.says, shape("count")),
        "distinct": key(DISTINCT.says, shape("distinct")),
        "flaps": key(FLAPS.says, shape("flaps")),
        "worked_for": key("So long since somebody first touched it, and not resolved since.", DURATION),
        "open_for": key("The incident has been open so long.", DURATION),
        "unacknowledged_for": key("Nobody has acknowledged the incident for so long.", DURATION),
        "absent_for": key("The heartbeat has not been heard for so long.", DURATION),
        **_MEASURED,
        "all": key("Every one of these holds.", _GROUP),
        "any": key("At least one of these holds.", _GROUP),
        "none": key("Not one of these holds.", _GROUP),
    },
    also={"minProperties": 1},
)
OBJECTIVE = Shape(
    what="an objective",
    says="One condition for resolved: measured, or checked off by a person.",
    keys={
        "id": key("Its name.", ID),
        "text": key("What people read.", TEXT),
        "manual": key("A person verifies it.", FLAG),
        "alerts_clear_for": key("No alert of the incident fires for so long.", DURATION),
        **_MEASURED,
    },
    needs=("id",),
    one_of=("manual", "alerts_clear_for", *_MEASURED),
)
ABSORB = Shape(
    what="absorb",
    says="A storm takes the other findings of its identity in.",
    keys={"for": key("How long.", DURATION)},
    needs=("for",),
)
# What a tier does when it holds.
VERBS: dict[str, Schema] = {
    "declare": key("Declare an incident of this severity, or raise the open one of the identity to it.", SEVERITY),
    "escalate_by": key(
        "Make an open incident graver by so many steps; opens none.", numbers(least=1, most=3, whole=True)
    ),
    "page": key("The paging policy to use instead of default.", NAME),
    "assign": key("Roles to fill from their rotations beside the incident commander.", lists(words(Role))),
    "attach_only": key("The alert joins an open incident of its identity, and opens none.", FLAG),
    "absorb": key(ABSORB.says, shape("absorb")),
}
# What goes with a verb; it does nothing alone.
COMPANIONS: dict[str, Schema] = {
    "title": key("The title of the incident, a template.", TEMPLATE),
    "summary": key("For readers who are no engineers, a template.", TEMPLATE),
    "runbook": key("A link, a template; default: the alert's runbook_url.", TEMPLATE),
    "stakeholders": key("Who has to know.", lists(TEXT), examples=[["legal"], ["management"]]),
    "objectives": key(
        "When the incident is over: all must be met. Default: no alert fires for 15m.", lists(shape("objective"))
    ),
    "restricted": key("Seen only by those with a role in it, and by admins.", FLAG),
}
_HAS_A_VERB = [{"required": [verb]} for verb in VERBS]
TIER = Shape(
    what="a tier",
    says="When a rule holds at one severity, and what is done then.",
    keys={
        "when": key("The conditions; without, the tier always holds.", shape("when")),
        **VERBS,
        **COMPANIONS,
    },
)
RULE = Shape(
    what="a rule",
    says="Names one criterion; its tiers, top to bottom, say when it holds and how grave that is.",
    keys={
        "id": key("The rule's name in metrics, on the timeline and in the API. Unique over all files.", ID),
        "criterion": key("Why this is an incident.", words(Criterion), default=Criterion.OTHER.value),
        "on": key("What the rule looks at.", words(Subject), default=Subject.ALERT.value),
        "match": key("What the rule looks at at all; default: everything.", MATCHERS),
        "identity": _IDENTITY,
        "reopen_within": _REOPEN,
        "mode": key(
            "enforce acts; shadow decides and counts, and never declares or pages; off rests.",
            words(Mode),
            default=Mode.ENFORCE.value,
        ),
        "tiers": key("From the top, the first tier that holds decides: the gravest first.", lists(shape("tier"))),
        **TIER.keys,
    },
    needs=("id",),
    also={
        **excludes("tiers", "when"),
        # A rule does something: it has a verb, or a tier that has one.
        "anyOf": [*_HAS_A_VERB, {"required": ["tiers"], "properties": {"tiers": {"contains": {"anyOf": _HAS_A_VERB}}}}],
    },
)
DEFAULTS = Shape(
    what="defaults",
    says="What a rule takes where it says nothing.",
    keys={"identity": _IDENTITY, "reopen_within": _REOPEN},
)
SHAPES: Mapping[str, Shape] = {
    "rule": RULE,
    "tier": TIER,
    "when": CONDITION,
    "count": COUNT,
    "distinct": DISTINCT,
    "flaps": FLAPS,
    "burn_rate": BURN_RATE,
    "budget_remaining": BUDGET_REMAINING,
    "query": QUERY,
    "objective": OBJECTIVE,
    "absorb": ABSORB,
    "defaults": DEFAULTS,
}
