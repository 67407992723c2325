"""Reads the timed events of a test into what a simulation is fed with. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec

from incidents import events
from incidents.alert import alert_key, fingerprint_of
from incidents.facts import Fact, fact_id
from incidents.incident import Incident
from incidents.incoming import Action, Touch, TouchKind
from incidents.values import AlertStatus, Severity
from rules.index import identity_key
from rules.loading.context import Context
from rules.loading.fields import Fields, as_string
from rules.loading.mends import did_you_mean
from rules.loading.nodes import Kind
from rules.simulation.events import (
    SOURCE,
    Beat,
    Event,
    Silent,
    Told,
    Unreachable,
    action,
    arrival,
    fact,
    touch,
)
from rules.simulation.simulation import Simulation, UnknownName
from rules.slos import slo_named
from rules.testing.model import Make

NUMBER = "{{ n }}"
EVERY = 60.0  # seconds until Prometheus is asked again; it answers the same until the test says otherwise
COMMON = ("at", "repeat", "over")


class Which(NamedTuple):
    """Which incident a person means: an id, or labels of its identity; the last declared one that has them."""

    id: str
    identity: Mapping[str, str]

    def of(self, simulation: Simulation) -> Incident:
        """Return the incident; raises `UnknownName`."""
        incidents = simulation.store.incidents
        if self.id:
            if self.id not in incidents:
                raise UnknownName(
                    f"there is no incident {self.id!r} by then; there is {', '.join(incidents) or 'none'}"
                )
            return incidents[self.id]
        for incident in reversed(incidents.values()):
            if self.identity.items() <= incident.identity.items():
                return incident
        wanted = ", ".join(f'{name}="{value}"' for name, value in self.identity.items())
        raise UnknownName(f"there is no incident with the identity {wanted} by then")


def read_labels(fields: Fields, key: str, context: Context) -> dict[str, str]:
    """Read a mapping of names to texts."""
    inner = fields.fields(key, what=key, known=None)
    found: dict[str, str] = {}
    for name, node in inner.node.entries.items():
        value = as_string(node, context.problems, name, "")
        if node.kind is Kind.STRING:
            found[name] = value
    return found


def read_event(fields: Fields, context: Context) -> Make | None:
    """Read one event; None (and a problem) when it cannot be one."""
    if fields.node.kind is not Kind.MAPPING:
        return None
    kinds = [key for key in fields.node.entries if key in KINDS]
    if len(kinds) != 1:
        if kinds:
            fields.report("", "E604", f"an event says {' and '.join(kinds)}: make it {len(kinds)} events")
        elif fields.node.entries.keys() <= set(EVENT_KEYS):  # what it means may be misspelt: that is said already
            fields.report("", "E604", "an event says nothing that happens", f"one of {', '.join(KINDS)}")
        return None
    kind = kinds[0]
    read, known = KINDS[kind]
    for key in fields.node.entries:
        if key in EVENT_KEYS and key not in {kind, *known, *COMMON}:
            fields.report(key, "E604", f"{key} says nothing beside {kind}", f"beside {kind} stand {', '.join(known)}")
    if fields.get(kind) is None:
        fields.require(kind)
        return None
    if {"repeat", "over"} & fields.node.entries.keys() and kind not in REPEATABLE:
        fields.report("repeat", "E604", f"{kind} cannot be repeated", f"repeated are {', '.join(REPEATABLE)}")
    return read(fields, context)


# Alerts


def _alert(status: AlertStatus) -> Callable[[Fields, Context], Make]:
    def read(fields: Fields, context: Context) -> Make:
        labels = read_labels(fields, status.value, context)
        given = fields.get(status.value)
        if given is not None and given.kind is Kind.MAPPING and not given.entries:
            fields.report(status.value, "E604", f"{status.value} are the labels of an alert; there is none")
        annotations = read_labels(fields, "annotations", context)
        source = fields.string("source", SOURCE)
        ago = fields.duration("started_ago", timedelta())

        def make(simulation: Simulation, number: int) -> Sequence[Event]:
            at = simulation.now
            started = at - ago if ago else None
            own, said = numbered(labels, number), numbered(annotations, number)
            return [arrival(own, at, status=status, annotations=said, source=source, starts_at=started)]

        return make

    return read


def numbered(labels: Mapping[str, str], number: int) -> dict[str, str]:
    """Return texts with `{{ n }}` replaced by a number."""
    return {name: value.replace(NUMBER, str(number)) for name, value in labels.items()}


def _touch(fields: Fields, context: Context) -> Make:
    labels = read_labels(fields, "touch", context)
    kind = fields.choice("did", [each.value for each in TouchKind], TouchKind.ACKNOWLEDGED.value)
    by, text = fields.string("by", ""), fields.string("text", "")
    source = fields.string("source", SOURCE)
    did = Touch(
        fingerprint=fingerprint_of(labels), kind=TouchKind(kind), actor=by, text=text or f"{by or 'somebody'}: {kind}"
    )

    def make(simulation: Simulation, _number: int) -> Sequence[Event]:
        key = alert_key(source, did.fingerprint)
        if key not in simulation.store.alerts:
            raise UnknownName(f"no alert with exactly these labels came from the source {source!r} by then")
        return [touch(did, simulation.now, source=source)]

    return make


def _action(fields: Fields, context: Context) -> Make:
    fields.require("service", "by")
    did = Action(
        kind=fields.string("action", ""),
        service=fields.string("service", ""),
        actor=fields.string("by", ""),
        text=fields.string("text", ""),
        labels=read_labels(fields, "labels", context),
    )

    def make(simulation: Simulation, number: int) -> Sequence[Event]:
        own = msgspec.structs.replace(
            did, labels=numbered(did.labels, number), text=did.text.replace(NUMBER, str(number))
        )
        return [action(own, simulation.now)]

    return make


# People


def _person(key: str, build: Callable[[Fields, str, Context], events.Event]) -> Callable[[Fields, Context], Make]:
    """Read what a person does to the incident that stands under the key."""

    def read(fields: Fields, context: Context) -> Make:
        which = _which(fields, key, context)
        fields.require("by")
        event = build(fields, fields.string("by", ""), context)
        return lambda simulation, _number: [Told(which.of(simulation).id, event)]

    return read


def _which(fields: Fields, key: str, context: Context) -> Which:
    node = fields.get(key)
    if node is not None and node.kind is Kind.MAPPING:
        return Which("", read_labels(fields, key, context))
    return Which(fields.string(key, ""), {})


def _escalation(fields: Fields, by: str, context: Context) -> events.Event:
    severity = context.severity(fields, "severity")
    if not {"severity", "page"} & fields.node.entries.keys():
        fields.report("escalate", "E604", "escalate needs a severity, or a policy to page")
    return events.Escalate(actor=by, severity=severity, page=fields.string("page", ""))


def _note(fields: Fields, context: Context) -> Make:
    fields.require("incident", "by")
    which, by, text = _which(fields, "incident", context), fields.string("by", ""), fields.string("note", "")
    return lambda simulation, _number: [Told(which.of(simulation).id, events.Note(actor=by, text=text))]


def _declare(fields: Fields, context: Context) -> Make:
    fields.require("severity", "identity", "by")
    identity = read_labels(fields, "identity", context)
    event = events.DeclaredByHand(
        actor=fields.string("by", ""),
        title=fields.string("declare", ""),
        severity=context.severity(fields, "severity") or Severity.SEV4,
        identity=identity,
        identity_key=identity_key(identity),
    )
    return lambda _simulation, _number: [Told("", event)]


# Signals, people out of reach, Prometheus


def _named(key: str, build: Callable[[str], Event]) -> Callable[[Fields, Context], Make]:
    def read(fields: Fields, context: Context) -> Make:
        del context
        event = build(fields.string(key, ""))
        return lambda _simulation, _number: [event]

    return read


def _fact(fields: Fields, context: Context) -> Make:
    inner = fields.fields("fact", what="a fact", known=FACT_KEYS)
    promql, slo, over = inner.string("query", ""), inner.string("slo", ""), inner.duration("over", None)
    value, ratio, burn = (inner.number(key, None) for key in ("value", "error_ratio", "burn_rate"))
    why = inner.string("unknown", "")
    if bool(promql) == bool(slo):
        inner.report("slo", "E604", "a fact is about an slo or a query")
    elif promql and (ratio is not None or burn is not None or over is not None):
        inner.report("query", "E604", "the answer to a query is its `value`")
    elif not why and (value is None if promql else (ratio is None) == (burn is None)):
        needed = "a value" if promql else "either error_ratio or burn_rate"
        inner.report("value", "E604", f"this fact needs {needed}", "or `unknown: REASON`: Prometheus has no answer")
    del context

    def make(simulation: Simulation, _number: int) -> Sequence[Event]:
        question, found = promql, value
        if slo:
            known = slo_named(simulation.rule_set.slos, slo)
            if known is None:
                hint = did_you_mean(slo, simulation.rule_set.slos)
                raise UnknownName(f"there is no SLO {slo!r}" + (f" ({hint})" if hint else ""))
            question = known.ratio_over(over or known.window)
            found = ratio if burn is None else burn * known.budget
        answer = Fact(id=fact_id(question), at=simulation.now, value=None if why else found, why=why, every=EVERY)
        return [fact(answer, simulation.now)]

    return make


FACT_KEYS = ("slo", "over", "error_ratio", "burn_rate", "query", "value", "unknown")
ALERT_KEYS = ("annotations", "source", "started_ago")
KINDS: dict[str, tuple[Callable[[Fields, Context], Make], tuple[str, ...]]] = {
    "firing": (_alert(AlertStatus.FIRING), ALERT_KEYS),
    "resolved": (_alert(AlertStatus.RESOLVED), ALERT_KEYS),
    "touch": (_touch, ("did", "by", "text", "source")),
    "action": (_action, ("service", "by", "text", "labels")),
    "acknowledge": (
        _person("acknowledge", lambda fields, by, _: events.Acknowledge(actor=by, note=fields.string("text", ""))),
        ("by", "text"),
    ),
    "mitigate": (
        _person("mitigate", lambda fields, by, _: events.Mitigate(actor=by, note=fields.string("text", ""))),
        ("by", "text"),
    ),
    "resolve": (
        _person(
            "resolve",
            lambda fields, by, _: events.Resolve(
                actor=by, note=fields.string("text", ""), override=fields.string("override", "")
            ),
        ),
        ("by", "text", "override"),
    ),
    "reopen": (
        _person("reopen", lambda fields, by, _: events.Reopen(actor=by, note=fields.string("text", ""))),
        ("by", "text"),
    ),
    "dismiss": (
        _person("dismiss", lambda fields, by, _: events.Dismiss(actor=by, reason=fields.string("text", ""))),
        ("by", "text"),
    ),
    "escalate": (_person("escalate", _escalation), ("by", "severity", "page")),
    "note": (_note, ("incident", "by")),
    "declare": (_declare, ("severity", "identity", "by")),
    "heartbeat_silent": (_named("heartbeat_silent", Silent), ()),
    "heartbeat": (_named("heartbeat", Beat), ()),
    "unreachable": (_named("unreachable", Unreachable), ()),
    "reachable": (_named("reachable", lambda person: Unreachable(person, again=True)), ()),
    "fact": (_fact, ()),
}
REPEATABLE = ("firing", "resolved", "action")
EVENT_KEYS = tuple(dict.fromkeys((*COMMON, *KINDS, *(key for _, beside in KINDS.values() for key in beside))))
