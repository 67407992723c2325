"""How what is wrong in a file is mended: the words of other tools, the forms of mappings, the nearest name. Pure.

Never a value that may be secret: hints are made of keys, of words of closed lists and of fixed examples.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import get_args

from rules.conditions import Condition
from rules.loading.nodes import Kind, Node

MAX_KNOWN = 500
MAX_LISTED = 40
# What other tools call it, for those who come from there: Prometheus, Alertmanager, PagerDuty.
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "name": ("id",),
    "expr": ("error_ratio", "promql"),
    "query": ("error_ratio", "promql"),
    "labels": ("match",),
    "matchers": ("match",),
    "for": ("firing_for",),
    "duration": ("firing_for",),
    "severity": ("declare",),
    "conditions": ("when",),
    "if": ("when",),
    "annotations": ("title", "summary"),
    "description": ("summary",),
    "group_by": ("identity",),
    "and": ("all",),
    "or": ("any",),
    "not": ("none",),
    "unless": ("none",),
    "except": ("none",),
    "exclude": ("none",),
    "members": ("order",),
    "users": ("order", "people"),
    "notify": ("page",),
    "to": ("page", "until"),
    "target": ("page", "objective"),
    "timeout": ("acknowledge_within",),
    "wait": ("acknowledge_within",),
    "delay": ("acknowledge_within",),
    "escalate_after": ("acknowledge_within",),
    "phone": ("channels",),
    "sms": ("channels",),
    "contacts": ("channels",),
    "threshold": ("gte",),
    "window": ("within", "over"),
    "schedules": ("rotations",),
    "enabled": ("mode",),
    "disabled": ("mode",),
    "fires": ("firing",),
    "fire": ("firing",),
    "sev": ("severity", "declare"),
    "prio": ("severity", "declare"),
    "priority": ("severity", "declare"),
    "after": ("at",),
    "time": ("at",),
    "expected": ("expect",),
    "interval": ("expect_every", "every", "refresh"),
    "every": ("expect_every",),
    "start": ("from", "starting"),
    "starts_at": ("from",),
    "end": ("until",),
    "ends_at": ("until",),
    "tz": ("timezone",),
    "zone": ("timezone",),
    "people": ("order",),
    "slack": ("channels",),
    "pagerduty": ("channels",),
    "webhook": ("channels",),
    "rotation": ("roles",),
    "policy": ("paging", "page"),
    "escalation": ("paging",),
    "oncall": ("rotations",),
    "on_call": ("rotations",),
    "services": ("rules",),
    "daily": ("weekly",),
    "reason": ("comment", "note"),
    "owner": ("author",),
}
# What stands somewhere else or is written otherwise, where the mapping has this key: the key that is meant, the mend.
INSTEAD: Mapping[str, tuple[tuple[str, str], ...]] = {
    "alert": (
        ("firing", "write firing: {alertname: NAME}"),
        ("match", "write match: 'alertname=\"NAME\"'"),
    ),
    "alertname": (("match", "write match: 'alertname=\"NAME\"'"),),
    "expr": (("match", "rules look at alerts; PromQL stands in when: {query: {promql: '...', gt: 0}}"),),
    "for": (("when", "write when: {firing_for: 5m}"), ("until", "write until: with the instant at which it ends")),
    "team": (("declare", "a team takes incidents by its own match, under teams:"),),
    "announce": (("declare", "announce stands at the top of a file, or in a team"),),
    "groups": (("rotations", "this is a rule file of Prometheus; rules here say which of its alerts are incidents"),),
    "route": (("rotations", "this is a configuration of Alertmanager; keep it out of the directory of the rules"),),
    "receivers": (("rotations", "a configuration of Alertmanager; who is told stands under people and channels"),),
    "inhibit_rules": (("rotations", "a configuration of Alertmanager; keep it out of the directory of the rules"),),
    "rotation": (("match", "write roles: {incident_commander: {rotation: NAME}}"),),
}
# But `match`, which rules have as well.
CONDITIONS = frozenset(kind.__struct_config__.tag for kind in get_args(Condition)) - {"match"}
# How a mapping is written in place of a single value or a list, by the name that messages give it.
FORMS: Mapping[str, str] = {
    "when": "{firing_for: 5m}",
    "count": "{gte: 5, within: 10m}",
    "distinct": "{label: region, gte: 2, within: 5m}",
    "flaps": "{gte: 6, within: 20m}",
    "burn_rate": "{slo: ID, over: 1h, gte: 14.4}",
    "budget_remaining": "{slo: ID, lte: 25%}",
    "query": "{promql: '...', gt: 0}",
    "absorb": "{for: 30m}",
    "a rule": "{id: NAME, match: 'severity=\"critical\"', declare: SEV3}",
    "firing": "{alertname: NAME, service: NAME}",
    "resolved": "{alertname: NAME, service: NAME}, with all labels of the alert",
    "an item of pages": "{to: PERSON}",
    "an item of escalations": "{to: PERSON}",
    "an item of incidents": "{severity: SEV2, identity: {service: NAME}}",
    "a team": "{match: 'team=\"payments\"'}",
    "a handoff": "{every: 1w, weekday: monday}",
    "a paging policy": "{steps: [{page: incident_commander}]}",
    "a step": "{page: incident_commander}",
    "a person": "{channels: [console]}",
    "an SLA": "{objective: 99.5}",
    "customers": "{external: [NAME]}",
    "weekly": '{weekdays: [sun], from: "02:00", until: "04:00", timezone: Europe/Berlin}',
}
# Words of other tools for those of closed lists.
WORDS: Mapping[str, tuple[str, ...]] = {
    "dry-run": ("shadow",),
    "dry_run": ("shadow",),
    "test": ("shadow",),
    "monitor": ("shadow",),
    "disabled": ("off",),
    "enabled": ("enforce",),
    "yes": ("required", "on"),
    "no": ("none", "off"),
    "ic": ("incident_commander",),
    "scribe": ("communications",),
    "comms": ("communications",),
    "availability": ("slo_breach",),
    "sla": ("slo_breach",),
    "outage": ("customer_visible",),
    "security": ("data_issue",),
    "corruption": ("data_issue",),
    "non_compliance": ("data_issue",),
    "pci": ("data_issue",),
    "heartbeat": ("signal_lost",),
    "watchdog": ("signal_lost",),
    "rollback": ("corrective_action",),
    "toil": ("time_spent",),
}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the nearest known word, or "" when none is near."""
    spelt = {each.lower(): each for each in islice(known, MAX_KNOWN)}
    near = get_close_matches(word[:64].lower(), list(spelt), n=1, cutoff=0.6)
    return f"did you mean '{spelt[near[0]]}'?" if near else ""


def meant(word: str, choices: Collection[str]) -> str:
    """Return "did you mean 'x'?" for a word of a closed list: as other tools call it, the nearest, or a part."""
    said = word[:64].lower()
    like = [each for each in WORDS.get(said, ()) if each in choices]
    if not like and (number := re.fullmatch(r"(?:p|s|sev|severity|prio|priority)[ _-]?([1-4])", said)):
        like = [each for each in choices if each == f"SEV{number[1]}"]
    if like:
        return f"did you mean '{like[0]}'?"
    if near := did_you_mean(word, choices):
        return near
    parts = set(re.split(r"[ _-]", said))
    like = [each for each in choices if parts & set(each.split("_"))]
    return f"did you mean '{like[0]}'?" if len(like) == 1 else ""


def form_of(what: str, node: Node, known: Collection[str] | None) -> str:
    """Say how a mapping is written instead of what is there."""
    if known and node.kind is Kind.LIST and "all" in known:
        return "put the conditions under all:"
    if what in FORMS:
        return f"write {FORMS[what]}"
    if known and set(known) == {"rotation"}:
        return "write {rotation: NAME}"
    return f"its keys: {', '.join(sorted(known))}" if known and len(known) <= 8 else ""


def mend_of(key: str, known: Collection[str], node: Node) -> str:
    """Say which key may be meant: what is nearest, what other tools mean by it, else all that there are."""
    said = key.lower()
    for needs, mend in INSTEAD.get(said, ()):
        if needs in known and said not in known:
            return mend
    if said in CONDITIONS and "when" in known:
        return f"{said} is a condition: it stands below when, indented"
    free = [each for each in known if each not in node.entries]
    like = [each for each in ELSEWHERE.get(said, ()) if each in free]
    if like and key not in known:
        return f"did you mean {' or '.join(map(repr, like))}?"
    return did_you_mean(key, free) or did_you_mean(key, known) or _listed(known)


def _listed(known: Collection[str]) -> str:
    more = f" and {len(known) - MAX_LISTED} more" if len(known) > MAX_LISTED else ""
    return f"known keys: {', '.join(sorted(known)[:MAX_LISTED])}{more}"
