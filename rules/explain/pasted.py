"""Explains alerts that never came, or came to nobody: by a simulation in which nothing else has ever happened. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from incidents.alert import Alert, alert_key
from incidents.clock import to_ms
from incidents.journal.lines import Did
from incidents.timeline import EntryKind
from incidents.values import AlertStatus
from rules.deciding.findings import severity_found
from rules.deciding.notes import Judged, absorbed_in, said_of
from rules.deciding.work import Arrival
from rules.explain.explaining import explained
from rules.explain.values import AheadTold, Basis, Explanation
from rules.model import RuleSet
from rules.simulation.simulation import Simulation

SOURCE = "pasted"
FORESEEN = timedelta(days=1)
FORESEEN_MOST = 12
ALONE = "As if nothing else had happened: no other alert, no answer of Prometheus, nobody at work."
ENDED = "It is resolved, and a resolved alert never declares: this is as if it still fired."


# Why nobody is paged, or nobody any more: told in the words of the timeline.
NOT_PAGED = frozenset({EntryKind.PAGE_SUPPRESSED, EntryKind.PAGE_FAILED, EntryKind.PAGE_EXHAUSTED})


class _Seen(NamedTuple):
    """What was there when it was last looked: severities and timelines of incidents, and how many pages were sent."""

    severities: dict[str, str]
    entries: dict[str, int]
    sent: int


class Pasting:
    """Some alerts, firing until now and on; explains each and tells what would come."""

    def __init__(self, rule_set: RuleSet, alerts: Sequence[Alert], *, now: datetime, firing_for: timedelta) -> None:
        self._rule_set = rule_set
        self._now = now
        self._alerts = alerts
        firing = [self._arrival(alert, now - firing_for) for alert in alerts]
        firing.sort(key=lambda arrival: arrival.received_at)
        self._simulation = Simulation(rule_set, min(each.received_at for each in firing), beats_go_on=True)
        for arrival in firing:
            self._simulation.feed(arrival)
        self._simulation.advance_to(now)

    def _arrival(self, alert: Alert, default: datetime) -> Arrival:
        at = min(alert.starts_at or default, self._now)
        fires = replace(alert, status=AlertStatus.FIRING, starts_at=at, ends_at=None, expires_at=None)
        return Arrival(_key(alert), SOURCE, fires, at, to_ms(at))

    def explanations(self) -> list[Explanation]:
        """Return one for each alert, as it is now; what comes later stands with the last."""
        found = [self._explained(alert) for alert in self._alerts]
        if found:
            found[-1] = replace(found[-1], ahead=self._ahead())
        return found

    def _explained(self, alert: Alert) -> Explanation:
        store, key = self._simulation.store, _key(alert)
        state = store.alerts.get(key)
        names = state.incidents if state is not None else ()
        said = []
        for looked in self._simulation.look(key):
            mine = (name for name in names if severity_found(store.incidents[name], looked.hit.rule.id) is not None)
            said.append(said_of(Judged(looked.hit, looked.verdict, _shown(next(mine, "")))))
        did = [
            Did(
                incident=_shown(name),
                entries=tuple(entry.kind.value for entry in store.timelines[name]),
                paged=tuple(
                    sent.page.person
                    for sent in self._simulation.sent
                    if sent.page.incident_id == name and not sent.page.over
                ),
                absorbed=absorbed_in(store.timelines[name]),
            )
            for name in names
        ]
        about = explained(
            said,
            did,
            rule_set=self._rule_set,
            about=Explanation(
                id=alert.labels.get("alertname", "alert"),
                kind="alert",
                basis=Basis.PASTED,
                labels=alert.labels,
                received_at=state.starts_at if state is not None else None,
                at=self._now,
                rules_hash=self._rule_set.hash,
                notes=(
                    ALONE,
                    *((ENDED,) if alert.status is AlertStatus.RESOLVED else ()),
                    *(said for name in names for said in self._not_paged(name)),
                ),
            ),
        )
        return replace(about, rules=tuple(replace(rule, result=_would(rule.result)) for rule in about.rules))

    def _ahead(self) -> tuple[AheadTold, ...]:
        """Return what would happen within a day, if all goes on firing and nobody does anything."""
        simulation, until = self._simulation, self._now + FORESEEN
        ahead: list[AheadTold] = []
        seen = self._seen()
        while len(ahead) < FORESEEN_MOST:
            due = simulation.store.next_due()
            if due is None or due > until:
                break
            before = simulation.now
            simulation.advance_to(max(due, before + timedelta(milliseconds=1)))
            ahead += [AheadTold(at=simulation.now, text=text) for text in self._news(seen)]
            seen = self._seen()
        return tuple(ahead[:FORESEEN_MOST])

    def _seen(self) -> _Seen:
        severities = {name: incident.severity.value for name, incident in self._simulation.store.incidents.items()}
        entries = {name: len(entries) for name, entries in self._simulation.store.timelines.items()}
        return _Seen(severities, entries, len(self._simulation.sent))

    def _not_paged(self, name: str, since: int = 0) -> list[str]:
        """Return what the timeline of an incident says of pages that are held back, failed or over."""
        entries = self._simulation.store.timelines[name][since:]
        return [f"{_shown(name)}: {entry.text}" for entry in entries if entry.kind in NOT_PAGED]

    def _news(self, seen: _Seen) -> list[str]:
        news = []
        for name, incident in self._simulation.store.incidents.items():
            before = seen.severities.get(name)
            if before is None:
                news.append(f"{incident.rule} declares {_shown(name)} as {incident.severity.value}")
            elif before != incident.severity.value:
                news.append(f"{_shown(name)} is raised from {before} to {incident.severity.value}")
            news += self._not_paged(name, seen.entries.get(name, 0))
        for sent in self._simulation.sent[seen.sent :]:
            if sent.page.over:  # told, and not paged
                news.append(f"{sent.page.person} is told of {_shown(sent.page.incident_id)}")
                continue
            step = f"step {sent.page.step}, round {sent.page.round}, {sent.page.reason}"
            outcome = "" if sent.outcome == "delivered" else f": {sent.outcome}, {sent.why}"
            news.append(f"{sent.page.person} is paged for {_shown(sent.page.incident_id)} ({step}){outcome}")
        return news


def _key(alert: Alert) -> str:
    return alert_key(SOURCE, alert.fingerprint)


def _would(result: str) -> str:
    """Say of what never happened that it would have."""
    for word in ("declared", "reopened", "raised", "added"):
        if result.startswith(f"{word} "):
            return f"would have {result}"
    return result


def _shown(name: str) -> str:
    """Return the name of an incident that there never was."""
    return f"incident {int(name.rpartition('-')[2])}" if name else ""
