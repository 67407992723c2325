"""The form of a rule file: its sections, and what stands in those that are neither rules nor on-call."""

from collections.abc import Mapping

from incidents.values import Role
from rules.shapes import oncall, rule
from rules.shapes.fragments import (
    DURATION,
    ID,
    ID_PATTERN,
    INSTANT,
    MATCHERS,
    NAME,
    TEXT,
    TIME,
    TIMEZONE,
    Schema,
    Shape,
    key,
    lists,
    maps,
    one_or_more,
    shape,
    words,
)

_OBJECTIVE: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100}

SLA = Shape(
    what="an SLA",
    says="What is owed by contract.",
    keys={
        "objective": key("Percent.", _OBJECTIVE),
        "owner": key("Who owns the contract.", TEXT),
    },
)
CUSTOMERS = Shape(
    what="customers",
    says="Whom it is owed to.",
    keys={
        "external": key("Customers outside.", lists(TEXT)),
        "internal": key("Customers inside.", lists(TEXT)),
    },
)
SLO = Shape(
    what="an SLO",
    says="What we owe our customers, inside and outside.",
    keys={
        "id": key("Its name, for burn_rate and budget_remaining.", ID),
        "service": key("Whose it is.", TEXT),
        "objective": key("Percent, such as 99.9.", _OBJECTIVE),
        "window": key("Over which it is owed.", DURATION, examples=["30d"]),
        "sla": key(SLA.says, shape("sla")),
        "customers": key(CUSTOMERS.says, shape("customers")),
        "burn_alerts": key("Whether the shipped rules on burn rates look at it; default: on.", words(("on", "off"))),
        "error_ratio": key("PromQL that gives the ratio of errors, from 0 to 1; each range is [$window].", NAME),
    },
    needs=("id", "service", "objective", "window", "error_ratio"),
)
HEARTBEAT = Shape(
    what="a heartbeat",
    says="A signal that must keep coming.",
    keys={
        "id": key("Its name; rules see it as the label heartbeat.", ID),
        "match": key("Which firing alerts feed it.", MATCHERS),
        "expect_every": key("How often it should come.", DURATION),
    },
    needs=("id", "match", "expect_every"),
)
TEAM = Shape(
    what="a team",
    says="Whose incident it is: the first team whose matchers hold for the incident's labels.",
    keys={
        "match": key("Which incidents are this team's.", MATCHERS),
        "roles": key("Which rotation of the team holds which role.", shape("roles")),
        "paging": key("The paging policy of the team.", NAME),
        "announce": key("Channels that are told of every incident of the team.", oncall.CHANNEL_NAMES),
    },
    needs=("match",),
)
WEEKLY = Shape(
    what="weekly",
    says="Every week on these days.",
    keys={
        "weekdays": key("On which days it begins.", lists(words((*oncall.WEEKDAYS, *oncall.SHORT_WEEKDAYS)))),
        "from": key("A time of the day in quotes.", TIME),
        "until": key("A time of the day in quotes.", TIME),
        "timezone": key("An IANA name; default: UTC.", TIMEZONE),
    },
    needs=("weekdays", "from", "until"),
)
MAINTENANCE = Shape(
    what="maintenance",
    says="A time in which nobody is paged, data issues excepted; what still fires at its end is.",
    keys={
        "id": key("Its name.", ID),
        "match": key("Which alerts it is about.", MATCHERS),
        "from": key("An instant with its offset.", INSTANT),
        "until": key("An instant with its offset.", INSTANT),
        "weekly": key(WEEKLY.says, shape("weekly")),
        "author": key("Who planned it.", TEXT),
        "comment": key("Why.", TEXT),
    },
    needs=("id", "match"),
    also={
        "oneOf": [
            {"required": ["weekly"], "not": {"anyOf": [{"required": ["from"]}, {"required": ["until"]}]}},
            {"required": ["from", "until"], "not": {"required": ["weekly"]}},
        ]
    },
)
_NOT_A_ROLE: Schema = {"propertyNames": {"pattern": f"^{ID_PATTERN}$", "not": {"enum": [role.value for role in Role]}}}
FILE = Shape(
    what="a rule file",
    says="Rules of Tocsin; the sections are merged over all files.",
    keys={
        "severities": key("What each severity asks of people.", shape("severities")),
        "defaults": key(rule.DEFAULTS.says, shape("defaults")),
        "normalize": key(
            "The first label of the list that has a value gives it, before rules are matched.",
            maps(one_or_more(NAME), ids=False),
            examples=[{"service": ["service", "sloth_service", "app"]}],
        ),
        "slos": key(SLO.says, lists(shape("slo"))),
        "heartbeats": key("Signals that must keep coming.", lists(shape("heartbeat"))),
        "rules": key("When an alert is an incident.", lists(shape("rule"))),
        "people": key("Who can be paged, and how.", {**maps(shape("person")), **_NOT_A_ROLE}),
        "channels": key("Channels with a name.", maps(oncall.ANY_CHANNEL)),
        "rotations": key("Who holds a role when.", maps(shape("rotation"))),
        "roles": key("Which rotation holds which role.", shape("roles")),
        "teams": key("Whose incident it is.", maps(shape("team"))),
        "announce": key("Channels that are told of every incident.", oncall.CHANNEL_NAMES),
        "audiences": key("Channels by audience.", maps(oncall.ANY_AUDIENCE, ids=False)),
        "paging": key("Who is paged, and what happens next.", maps(shape("policy"))),
        "maintenance": key("Times in which nobody is paged.", lists(shape("maintenance"))),
    },
)
SHAPES: Mapping[str, Shape] = {
    "file": FILE,
    **rule.SHAPES,
    **oncall.SHAPES,
    "slo": SLO,
    "sla": SLA,
    "customers": CUSTOMERS,
    "heartbeat": HEARTBEAT,
    "team": TEAM,
    "maintenance": MAINTENANCE,
    "weekly": WEEKLY,
}
