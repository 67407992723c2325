"""Explains an alert that is remembered by what rules say of it now: the production judging, never committed. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from incidents.alert import AlertState, alert_key
from incidents.commit import TIMER_ALERT
from incidents.incident import Incident
from incidents.journal.lines import Did
from incidents.overrides import rules_of
from incidents.snapshot import Need, Plan, Snapshot
from incidents.values import AlertStatus
from rules.deciding.deciding import Deciding
from rules.deciding.findings import severity_found
from rules.deciding.notes import Judged, said_of
from rules.deciding.work import DueTimer, Work
from rules.explain.explaining import explained
from rules.explain.values import Basis, Explanation
from rules.index import Hit
from rules.model import RuleSet
from rules.verdicts import Verdict

NEEDS_AT_MOST = 20
RESOLVED = "It is resolved: no rule looks at it now. What was decided while it fired is in the journal."
GONE = "The store changed again and again while rules looked: ask once more."


class Look(NamedTuple):
    """What rules say of an alert now, and the incidents that it belongs to."""

    judged: tuple[tuple[Hit, Verdict], ...]
    incidents: dict[str, Incident]
    is_whole: bool = True


def look(rule_set: RuleSet, key: str, load: Callable[[Plan], Snapshot], now: datetime) -> Look:
    """Return what each rule that matches a firing alert says of it now; `load` reads the store, and nothing changes."""
    heard: list[tuple[Hit, Verdict]] = []
    deciding = Deciding(rule_set, lambda hit, verdict, _: heard.append((hit, verdict)))
    work = Work(timers=(DueTimer(TIMER_ALERT + key, now),))
    plan = deciding.plan(work)
    for _ in range(NEEDS_AT_MOST):
        heard.clear()
        snapshot = load(plan)
        try:
            deciding.decide(work, snapshot, now)
        except Need as need:
            plan.merge(need.plan)
            continue
        known = (*snapshot.identities.values(), *snapshot.ids.values())
        return Look(tuple(heard), {each.incident.id: each.incident for each in known if each is not None})
    return Look((), {}, is_whole=False)


def looked(state: AlertState, look: Look, rule_set: RuleSet, now: datetime) -> Explanation:
    """Return the explanation of an alert as of now."""
    names = [name for name in state.incidents if name in look.incidents]
    said = []
    for hit, verdict in look.judged:
        mine = (name for name in names if severity_found(look.incidents[name], hit.rule.id) is not None)
        said.append(said_of(Judged(hit, verdict, next(mine, ""))))
    firing = state.status is AlertStatus.FIRING
    notes = () if firing else (RESOLVED,)
    return explained(
        said,
        [Did(incident=name) for name in state.incidents],
        rule_set=rule_set,
        about=Explanation(
            id=alert_key(state.source, state.fingerprint),
            kind="alert",
            basis=Basis.NOW,
            source=state.source,
            labels=state.labels,
            received_at=state.starts_at,
            at=now,
            became="" if firing else "resolved",
            rules_hash=rules_of(rule_set.hash),
            rules_changed=bool(state.judged_by) and state.judged_by != rules_of(rule_set.hash),
            notes=notes if look.is_whole else (*notes, GONE),
        ),
        tells_misses=firing,
    )
