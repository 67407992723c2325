"""The form of people, channels, rotations, roles, paging policies and severities."""

from collections.abc import Mapping

from incidents.oncall import AUDIENCE_KINDS
from incidents.values import Role, Severity
from rules.shapes.fragments import (
    ADDRESS,
    DAY,
    DURATION,
    INSTANT,
    NAME,
    TEXT,
    TIME,
    TIMEZONE,
    Schema,
    Shape,
    excludes,
    key,
    lists,
    numbers,
    one_or_more,
    shape,
    words,
)

MAX_ROUNDS = 100
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORT_WEEKDAYS = tuple(day[:3] for day in WEEKDAYS)
CONSOLE = "console"
ROUTING_KEY_PATTERN = "[A-Za-z0-9]{32}"
_FILE = "The file that holds the {}; it is read at each page, so that a rotated one is used at once."


def _secret(what: str, form: Schema = NAME) -> Schema:
    return key(f"The {what}; prefer the _file form, for rule files lie in Git.", form)


def _file(what: str) -> Schema:
    return key(_FILE.format(what), NAME)


WEBHOOK = Shape(
    what="a webhook channel",
    says="Posts the page as JSON, signed by Standard Webhooks where there is a secret.",
    keys={
        "url": _secret("address", ADDRESS),
        "url_file": _file("address"),
        "secret": _secret("secret of the signature"),
        "secret_file": _file("secret of the signature"),
    },
    one_of=("url", "url_file"),
    also=excludes("secret", "secret_file"),
)
PAGERDUTY = Shape(
    what="a pagerduty channel",
    says="Events API v2 of PagerDuty.",
    keys={
        "routing_key": _secret("routing key"),
        "routing_key_file": _file("routing key"),
        "url": key("Another address than PagerDuty's own.", ADDRESS),
    },
    one_of=("routing_key", "routing_key_file"),
    # Who stands in for PagerDuty under another address may have keys of another form.
    also={
        "if": {"not": {"required": ["url"]}},
        "then": {"properties": {"routing_key": {"pattern": f"^{ROUTING_KEY_PATTERN}$"}}},
    },
)
SLACK = Shape(
    what="a slack channel",
    says="An incoming webhook of Slack.",
    keys={"webhook_url": _secret("address", ADDRESS), "webhook_url_file": _file("address")},
    one_of=("webhook_url", "webhook_url_file"),
)
APPRISE = Shape(
    what="an apprise channel",
    says="E-mail, ntfy, SMS and a hundred others, by the address that Apprise has for them.",
    keys={"url": _secret("address", {"type": "string", "pattern": "://"}), "url_file": _file("address")},
    one_of=("url", "url_file"),
)
PRINTED = Shape(what="a console channel", says="Prints the page where the page worker runs; for trying out.", keys={})
CHANNEL_KINDS: Mapping[str, Shape] = {
    "webhook": WEBHOOK,
    "pagerduty": PAGERDUTY,
    "slack": SLACK,
    "apprise": APPRISE,
    CONSOLE: PRINTED,
}
CHANNEL = Shape(
    what="a channel",
    says="One kind of channel with its options.",
    keys={kind: key(own.says, shape(f"channel_{kind}")) for kind, own in CHANNEL_KINDS.items()},
    one_of=tuple(CHANNEL_KINDS),
)
ANY_CHANNEL: Schema = {"if": {"type": "string"}, "then": words([CONSOLE]), "else": shape("channel")}
CHANNEL_NAMES = lists(NAME)

PERSON = Shape(
    what="a person",
    says="Who can be paged.",
    keys={
        "name": key("For people to read.", TEXT),
        "email": key("By which calendars may name the person.", TEXT),
        "timezone": key("An IANA name; default: UTC.", TIMEZONE),
        "channels": key(
            "The channels to try, first to last: a name from channels, one written out, or console.",
            lists({"if": {"type": "string"}, "then": NAME, "else": shape("channel")}),
        ),
    },
)
HANDOFF = Shape(
    what="a handoff",
    says="When the next person takes over, in the rotation's zone.",
    keys={
        "every": key("From 1h to 366d; default: 1w.", DURATION),
        "weekday": key("Default: the weekday of starting.", words((*WEEKDAYS, *SHORT_WEEKDAYS))),
        "at": key('The time of the day in quotes; default: "09:00".', TIME),
        "starting": key("The day on which the first in order begins.", DAY),
    },
)
OVERRIDE = Shape(
    what="an override",
    says="Somebody else for a while.",
    keys={
        "from": key("An instant with its offset.", INSTANT),
        "until": key("An instant with its offset.", INSTANT),
        "person": key("Who stands in.", NAME),
        "note": key("Why.", TEXT),
    },
    needs=("from", "until", "person"),
)
MEMBER = Shape(
    what="a member",
    says="A person who joins or leaves the rotation; no turn before that changes.",
    keys={
        "person": key("Who takes turns.", NAME),
        "from": key("The day from which; default: ever since.", DAY),
        "until": key("The day from which no more; default: never.", DAY),
    },
    needs=("person",),
)
HOURS = Shape(
    what="hours",
    says="Hours on the clock of the zone; past midnight where they end before they begin.",
    keys={
        "weekdays": key(
            "The days on which they begin; default: all.", lists(words((*WEEKDAYS, *SHORT_WEEKDAYS)), least=1)
        ),
        "from": key('The time of the day in quotes, such as "09:00".', TIME),
        "until": key("The time of the day; the same as from: a whole day.", TIME),
    },
    needs=("from", "until"),
)
_TIMEZONE = key("An IANA name; default: UTC.", TIMEZONE)
_HANDOFF = key("When the next person takes over; default: weekly.", shape("handoff"))
_ORDER = key(
    "People in turn; a name may stand in it twice. {person: NAME, from: DAY, until: DAY} joins and leaves.",
    lists({"if": {"type": "string"}, "then": NAME, "else": shape("member")}, least=1),
)
_HOURS = key("When these people hold it; default: at all hours.", lists(shape("hours"), least=1))
CALENDAR = Shape(
    what="a calendar",
    says="A calendar (iCalendar) whose events say who holds it: their summary or an attendee names a person.",
    keys={
        "url": _secret("address", ADDRESS),
        "url_file": key("The file that holds the address.", NAME),
        "file": key("A file *.ics; its path begins at the rule file.", {"type": "string", "pattern": "[.]ics$"}),
        "refresh": key("How often it is read anew, from 1m to 1d; default: 15m.", DURATION),
    },
    one_of=("url", "url_file", "file"),
)
_CALENDAR = key("Where the turns stand, in place of order; nobody holds it where it names nobody.", shape("calendar"))
_OF_A_CALENDAR: Schema = {"not": {"anyOf": [{"required": ["calendar", name]} for name in ("hours", "handoff")]}}
LAYER = Shape(
    what="a layer",
    says="People who take turns within hours, or a calendar. What it does not say it takes from the rotation.",
    keys={"timezone": _TIMEZONE, "handoff": _HANDOFF, "order": _ORDER, "hours": _HOURS, "calendar": _CALENDAR},
    one_of=("order", "calendar"),
    also=_OF_A_CALENDAR,
)
ROTATION = Shape(
    what="a rotation",
    says="Who holds a role when.",
    keys={
        "timezone": _TIMEZONE,
        "handoff": _HANDOFF,
        "order": _ORDER,
        "hours": _HOURS,
        "calendar": _CALENDAR,
        "layers": key("From top to bottom: the first that is open and has somebody.", lists(shape("layer"), least=1)),
        "overrides": key("Somebody else for a while; they must not overlap.", lists(shape("override"))),
    },
    one_of=("order", "layers", "calendar"),
    also={"allOf": [excludes("hours", "layers"), _OF_A_CALENDAR]},
)
HELD_BY = Shape(
    what="the role",
    says="Which rotation holds the role.",
    keys={"rotation": key("The name of a rotation.", NAME)},
    needs=("rotation",),
)
ROLES = Shape(
    what="roles",
    says="Which rotation holds which role.",
    keys={role.value: key(f"Who is {role.standing}.", shape("held_by")) for role in Role},
)
STEP = Shape(
    what="a step",
    says="Whom to page, and how long to wait for an acknowledgement.",
    keys={
        "page": key(
            "A role, rotation:NAME, rotation:NAME+1 (the next in turn), a person, channel:NAME, or a list of these.",
            one_or_more(NAME),
            examples=["incident_commander", "rotation:commanders+1"],
        ),
        "acknowledge_within": key("How long to wait before the next step; default: the severity's.", DURATION),
    },
    needs=("page",),
)
POLICY_HOURS = Shape(
    what="hours",
    says="When a policy pages; before, its first step waits. A SEV1 does not wait.",
    keys={**HOURS.keys, "timezone": key("An IANA name; default: UTC.", TIMEZONE)},
    needs=HOURS.needs,
)
POLICY = Shape(
    what="a paging policy",
    says="Who is paged, how, and what happens next.",
    keys={
        "steps": key("One after the other, until somebody acknowledges.", lists(shape("step"), least=1)),
        "rounds": key("All steps, this often; default: 3.", numbers(least=1, most=MAX_ROUNDS, whole=True)),
        "hours": key("When it pages; default: at all hours.", shape("policy_hours")),
        "repage_after": key("Acknowledged, and nothing heard for so long: page again. Default: never.", DURATION),
    },
    needs=("steps",),
)
AUDIENCE = Shape(
    what="an audience",
    says="Who is told together, and in which words.",
    keys={
        "channels": key("The channels that reach it, by name.", CHANNEL_NAMES),
        "kind": key(
            "Who they are; whoever is not internal is told nothing but what somebody wrote. Default: internal, and "
            "customers for the audience of that name.",
            words(AUDIENCE_KINDS),
        ),
        "template": key(
            "What a communication begins as; {{ summary }}, {{ title }}, {{ id }}, {{ severity }}, {{ status }}, "
            "{{ began }}, {{ age }} and {{ next_update }} are put in.",
            TEXT,
        ),
    },
    needs=("channels",),
)
ANY_AUDIENCE: Schema = {"if": {"type": "array"}, "then": CHANNEL_NAMES, "else": shape("audience")}
SEVERITY_FIELDS = Shape(
    what="the severity",
    says="What a severity asks of people.",
    keys={
        "acknowledge_within": key("How long a paging step waits where the policy does not say.", DURATION),
        "update_every": key("How old the status report may get.", DURATION),
        "postmortem": key("Whether a post-mortem is written.", words(("required", "optional", "none"))),
        "stakeholders": key("Who has to know.", lists(TEXT)),
    },
)
SEVERITIES = Shape(
    what="severities",
    says="What each severity asks of people; say only what is different from the defaults.",
    keys={each.value: key(SEVERITY_FIELDS.says, shape("severity")) for each in Severity},
)
SHAPES: Mapping[str, Shape] = {
    "person": PERSON,
    "channel": CHANNEL,
    **{f"channel_{kind}": own for kind, own in CHANNEL_KINDS.items()},
    "rotation": ROTATION,
    "layer": LAYER,
    "calendar": CALENDAR,
    "member": MEMBER,
    "hours": HOURS,
    "handoff": HANDOFF,
    "override": OVERRIDE,
    "roles": ROLES,
    "held_by": HELD_BY,
    "policy": POLICY,
    "policy_hours": POLICY_HOURS,
    "step": STEP,
    "audience": AUDIENCE,
    "severities": SEVERITIES,
    "severity": SEVERITY_FIELDS,
}
