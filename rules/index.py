"""Finds the rules that an alert satisfies, and what its incident would be: the decider's hot path. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from incidents.alert import short_hash
from rules.matcher_index import MAX_REMEMBERED, MAX_REMEMBERED_LENGTH, MatcherIndex
from rules.model import Mode, Rule, RuleSet, Subject

# Signals that monitoring itself lives; they are heard, and never an incident of their own.
SILENT_ALERTS = frozenset({"Watchdog", "InfoInhibitor"})
FALLBACK_IDENTITY = ("alertname", "cluster", "namespace", "job")
UNKNOWN_IDENTITY = {"alertname": "unknown"}


class Hit(NamedTuple):
    """One rule whose matchers hold for one alert; `labels` are those after normalizing."""

    rule: Rule
    identity: dict[str, str]
    identity_key: str
    labels: Mapping[str, str]


class Matched(NamedTuple):
    """The labels after normalizing, and the rules that match, in file order."""

    labels: Mapping[str, str]
    hits: tuple[Hit, ...]


class Matching:
    """The index over one rule set. It remembers the values it has seen, so one thread alone may use it."""

    def __init__(self, rule_set: RuleSet, subject: Subject = Subject.ALERT) -> None:
        self._of_alerts = subject is Subject.ALERT
        # The fields of an incident are no labels of a sender.
        self._normalize = () if subject is Subject.INCIDENT else tuple(rule_set.normalize.items())
        self._keys: dict[tuple[str, ...], str] = {}
        self._rules = [
            rule for rule in rule_set.rules if rule.on is subject and rule.mode is not Mode.OFF and not rule.slo
        ]
        self._index = MatcherIndex([rule.matchers for rule in self._rules])

    def match(self, labels: Mapping[str, str]) -> Matched:
        """Return the normalized labels and every rule that an alert with these labels satisfies."""
        labels = self._normalized(labels)
        if self._of_alerts and labels.get("alertname") in SILENT_ALERTS:
            return Matched(labels, ())
        rules = self._rules
        return Matched(labels, tuple([self._hit(rules[place], labels) for place in self._index.matching(labels)]))

    def _normalized(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        changed: dict[str, str] | None = None
        for name, sources in self._normalize:
            for source in sources:
                value = labels.get(source)
                if value:
                    if source != name:
                        if changed is None:
                            changed = dict(labels)
                        changed[name] = value
                    break
        return labels if changed is None else changed

    def _hit(self, rule: Rule, labels: Mapping[str, str]) -> Hit:
        identity = identity_of(rule.identity, labels)
        pairs = tuple(identity) + tuple(identity.values())
        key = self._keys.get(pairs)
        if key is None:
            key = identity_key(identity)
            if len(self._keys) >= MAX_REMEMBERED:
                self._keys.clear()
            if sum(map(len, pairs)) <= MAX_REMEMBERED_LENGTH:
                self._keys[pairs] = key
        return Hit(rule, identity, key, labels)


def identity_of(names: Iterable[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that make findings the same incident, never none: missing ones are left out.

    If all are missing it is `alertname` with `cluster`, `namespace` and `job` as far as they are there.
    """
    found = {name: value for name in names if (value := labels.get(name))}
    if found:
        return found
    return {name: value for name in FALLBACK_IDENTITY if (value := labels.get(name))} or dict(UNKNOWN_IDENTITY)


def identity_key(identity: Mapping[str, str]) -> str:
    """Return the key of an identity: equal names and values give equal keys, in whatever order a rule names them."""
    return short_hash("".join(f"{len(name)}:{name}{len(value)}:{value}" for name, value in sorted(identity.items())))
