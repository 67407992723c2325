"""The rule sets of the store, compiled by each process, under the calendars and overrides in force."""

import threading

from msgspec.structs import replace

from incidents.calendars import with_calendars
from incidents.oncall import OnCall
from incidents.overrides import rules_of, with_overrides
from incidents.store.rulesets import RuleSets
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from rules.model import RuleSet

KEPT = 4  # compiled rule sets: the one in force, and those that open pages were made from


class RuleBook:
    """The rule sets of the store, compiled. For many threads."""

    def __init__(self, stored: RuleSets) -> None:
        self._stored = stored
        self._lock = threading.Lock()
        self._compiled: dict[str, RuleSet] = {}
        self._overridden: dict[str, RuleSet] = {}  # those with calendars, and overrides that people made

    def rule_set(self, ruleset: str) -> RuleSet:
        """Return a rule set by its hash; raises `NotFound`. The empty hash is the empty rule set."""
        if not ruleset:
            return RuleSet(hash="")
        with self._lock:
            compiled = self._compiled_of(rules_of(ruleset))
            if compiled.hash == ruleset:
                return compiled
            overridden = self._overridden.get(ruleset)
            if overridden is None:
                oncall = with_calendars(compiled.oncall, self._stored.calendars(ruleset))
                oncall = with_overrides(oncall, self._stored.overrides(ruleset))
                overridden = replace(compiled, hash=ruleset, oncall=oncall)
                _keep(self._overridden, overridden)
            return overridden

    def _compiled_of(self, rules: str) -> RuleSet:
        compiled = self._compiled.get(rules)
        if compiled is None:
            compiled = self._compile(rules)
            _keep(self._compiled, compiled)
        return compiled

    def oncall(self, ruleset: str) -> OnCall:
        """Return the on-call settings of a rule set."""
        return self.rule_set(ruleset).oncall

    def current(self) -> RuleSet:
        """Return the rule set in force."""
        return self.rule_set(self._stored.current())

    def _compile(self, ruleset: str) -> RuleSet:
        kept = self._stored.text(ruleset)
        loaded = load_rule_set([SourceFile(name, text) for name, text in kept.files], now=kept.checked_at)
        if loaded.rule_set is None:
            # It was checked before it was published: only another version of Tocsin can think otherwise.
            raise ValueError(f"the rule set {ruleset} does not load in this version: {loaded.errors[0]}")
        # Under the name by which it is asked for: another version of Tocsin may have made it.
        return replace(loaded.rule_set, hash=ruleset)


def _keep(compiled: dict[str, RuleSet], rule_set: RuleSet) -> None:
    while len(compiled) >= KEPT:
        compiled.pop(next(iter(compiled)))
    compiled[rule_set.hash] = rule_set
