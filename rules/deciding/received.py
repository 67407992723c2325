"""Events that are more than alerts: what people did to an alert elsewhere, our own pages coming back, actions. Pure."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from incidents import events, keys
from incidents.alert import Alert, AlertState, alert_key
from incidents.document.operating import BY_OUTSIDER, is_outside
from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident
from incidents.incoming import Action, Touch, TouchKind
from incidents.journal.lines import Became
from incidents.measures import Measures
from incidents.snapshot import Plan
from incidents.timeline import Entry, EntryKind
from incidents.transitions import transition
from incidents.values import AlertStatus
from rules.deciding.batch import Batch
from rules.deciding.facts import Meter
from rules.deciding.windows import plan_windows
from rules.deciding.work import Arrival, Received
from rules.index import Matching

OUR_KEY = re.compile(r"(INC-\d{4}-\d{4,})-[0-9a-f]{8,16}")
OUR_TEST = re.compile(r"TEST-[0-9a-f]{16}-[0-9a-f]{8,16}")
# Somebody is on it: from here the time-spent clock runs.
WORK = frozenset({TouchKind.ACKNOWLEDGED, TouchKind.NOTE, TouchKind.RESPONDER, TouchKind.STATUS_UPDATE})
# Told of our own page, they say what we did ourselves, or nothing that its timeline does not have.
ECHOED = frozenset({TouchKind.ACKNOWLEDGED, TouchKind.OTHER, TouchKind.GONE})


def plan_received(plan: Plan, received: Received, actions: Matching) -> None:
    """Add what an event needs of the store to a plan, but for the alert that it may bring along."""
    incoming = received.incoming
    plan.deliveries.update(dict.fromkeys(deliveries_of(received)))
    ours = OUR_KEY.fullmatch(incoming.incident_key)
    if ours:
        plan.ids.setdefault(ours[1], {})
    echo = echo_of(received)
    if echo and not incoming.incident_key:
        plan.echoes[echo] = None
    if incoming.touch is not None:
        plan.alerts[alert_key(received.source, incoming.touch.fingerprint)] = None
    if incoming.action is not None:
        plan.services[incoming.action.service] = None
        arrival = action_arrival(received, incoming.action)
        for hit in actions.match(arrival.alert.labels).hits:
            plan.identities.setdefault(hit.identity_key, {})
            if hit.rule.withins:
                plan_windows(plan, hit, arrival.key)


def echo_of(received: Received) -> str:
    """Return the key under which a page of ours may be known at the sender, which names it in what has no dedup key."""
    incoming = received.incoming
    named = incoming.touch or incoming.alert
    return keys.echo(received.source, named.fingerprint) if named is not None else ""


def deliveries_of(received: Received) -> list[str]:
    """Return the keys under which a delivery is remembered."""
    return [keys.delivery(received.source, one) for one in received.incoming.ids]


class Reception:
    """Takes such events in, one after the other, into a batch."""

    def __init__(self, batch: Batch, actions: Matching, meter: Meter) -> None:
        self._batch = batch
        self._meter = meter
        self._view = batch.view
        self._actions = actions
        self._tally = batch.view.commit.tally

    def receive(self, received: Received) -> None:
        """Let an event take effect, unless its delivery took effect already."""
        deliveries = set(deliveries_of(received))
        if deliveries & (self._view.snapshot.delivered | self._view.commit.deliveries):
            self._tally.count(Measures.EVENTS, "duplicate")
            self._batch.became = Became.DUPLICATE
            return
        self._batch.became = Became.TAKEN
        self._view.commit.deliveries |= deliveries
        self._tally.count(Measures.EVENTS, "processed")
        if OUR_TEST.fullmatch(received.incoming.incident_key):
            return  # a test page of ours: nothing is wrong
        ours = self._our_incident(received)
        if ours is not None:
            self._came_back(ours, received)
            return
        arrival = received.as_alert
        if arrival is not None and not self._batch.observe(arrival):
            self._batch.became = Became.TAKEN
        if received.incoming.touch is not None:
            self._touched(received, received.incoming.touch)
        if received.incoming.action is not None:
            self._acted(received, received.incoming.action)
        if received.incoming.fact is not None:
            self._meter.take(received, received.incoming.fact)

    def _our_incident(self, received: Received) -> Incident | None:
        """Return whose page it is: known by our dedup key, or by what the sender called it when that came first."""
        incident_key, echo = received.incoming.incident_key, echo_of(received)
        found = OUR_KEY.fullmatch(incident_key)
        incident = self._view.incident(found[1]) if found else None
        if incident is not None and incident.dedup_key == incident_key:
            if echo:
                self._view.commit.echoes[echo] = incident.id
            return self._view.incident(self._view.home(incident.id))
        if not echo or incident_key:
            return None
        name = self._view.commit.echoes.get(echo) or self._view.snapshot.echoes.get(echo)
        return self._view.incident(self._view.home(name)) if name else None

    def _came_back(self, incident: Incident, received: Received) -> None:
        """Our own page speaks: whoever acknowledges or resolves it there is on it here; it opens no second incident."""
        touch, alert = received.incoming.touch, received.incoming.alert
        actor = (touch.actor if touch else "") or received.source
        acknowledged = touch is not None and touch.kind is TouchKind.ACKNOWLEDGED
        resolved = alert is not None and alert.status is AlertStatus.RESOLVED
        if incident.is_open and (acknowledged or resolved):
            event: events.Event = events.Acknowledge(actor=actor, note=f"in {received.source}")
        elif touch is not None and touch.kind is TouchKind.UNACKNOWLEDGED and incident.is_open:
            event = events.Unacknowledge(actor=actor, note=f"in {received.source}")
        elif touch is not None and touch.kind not in ECHOED:
            event = events.Note(actor=actor, text=touch.text)
        else:
            return
        try:
            done = transition(incident, event, context=self._batch.judge.context(incident.id), now=self._batch.now)
        except TransitionNotAllowed:
            return
        self._view.take(incident.id, done)

    def _touched(self, received: Received, touch: Touch) -> None:
        """Write what was done to an alert on the timelines that hold it; the first work on it starts the clock."""
        key = alert_key(received.source, touch.fingerprint)
        state = self._view.state(key)
        if state is None:
            return
        works = touch.kind in WORK and state.status is AlertStatus.FIRING
        first = works and state.touched_at is None
        if first:
            state = replace(state, touched_at=received.received_at, touched_by=touch.actor)
            self._view.remember(key, state)
        for name in self._view.homes(state.incidents):
            if self._view.incident(name) is not None:
                self._view.commit.entries.append((name, _touch_entry(received, touch, state)))
                if works:
                    self._begun(name, touch.actor or received.source)
        if first:
            self._batch.touched(key, state)

    def _begun(self, name: str, actor: str) -> None:
        """Let the time-spent clock of an incident run."""
        incident = self._view.incident(name)
        if incident is not None and incident.is_open and incident.touched_at is None:
            context = self._batch.judge.context(name)
            self._view.take(
                name, transition(incident, events.Touched(actor=actor), context=context, now=self._batch.now)
            )

    def _acted(self, received: Received, action: Action) -> None:
        """Hold a corrective action against the rules, and write it on the timeline of its service's incidents."""
        arrival = action_arrival(received, action)
        matched = self._actions.match(arrival.alert.labels)
        names = dict.fromkeys(self._view.snapshot.services.get(action.service, ()))
        for hit in matched.hits:
            if hit.rule.withins:
                at = action.at or received.received_at
                self._view.windows.leave(hit, arrival.key, at)
            verdict = self._batch.judge.verdict(hit)
            name = self._batch.judge.act(hit, verdict, matched, arrival, fires_again=True)
            if name is not None:
                names[name] = None
        self._view.require_incidents(names)
        for name in names:
            incident = self._view.incident(name)
            outside = incident is not None and is_outside(incident, action.actor)
            self._view.commit.entries.append((name, _action_entry(received, action, outside=outside)))
            self._begun(name, action.actor)


def action_arrival(received: Received, action: Action) -> Arrival:
    """Return an action in the shape in which rules look at things: labels, and a summary."""
    labels = {**action.labels, "kind": action.kind, "service": action.service, "actor": action.actor}
    summary = f"{action.kind} of {action.service} by {action.actor}" + (f": {action.text}" if action.text else "")
    alert = Alert(fingerprint="", status=AlertStatus.FIRING, labels=_present(labels), annotations={"summary": summary})
    key = f"{received.source}|{action.actor}|{action.kind}|{action.service}|{received.received_ms}"
    # Who did it is who speaks: what it declares is declared by that person.
    return Arrival(key, action.actor, alert, received.received_at, received.received_ms)


def _present(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if value}


def _touch_entry(received: Received, touch: Touch, state: AlertState) -> Entry:
    data = {"alert": state.labels.get("alertname", ""), "did": touch.kind.value, "at": touch.at}
    return Entry(
        at=received.received_at,
        kind=EntryKind.ALERT_STALE if touch.kind is TouchKind.GONE else EntryKind.NOTE,
        actor=touch.actor or received.source,
        text=touch.text,
        data={field: value for field, value in data.items() if value},
    )


def _action_entry(received: Received, action: Action, *, outside: bool) -> Entry:
    by = f"{action.actor} ({BY_OUTSIDER})" if outside else action.actor
    text = f"{by} did a {action.kind} of {action.service}" + (f": {action.text}" if action.text else "")
    data = {"kind": action.kind, "service": action.service, "at": action.at, "outside": outside}
    return Entry(
        at=received.received_at,
        kind=EntryKind.CORRECTIVE_ACTION,
        actor=action.actor,
        text=text,
        data={field: value for field, value in data.items() if value},
    )
