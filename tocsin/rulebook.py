"""The rules on their way into force: read from files, checked, published in the store, and compiled by each process."""

import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from incidents.oncall import OnCall
from incidents.overrides import rules_of, with_overrides
from incidents.store.rulesets import Reloaded, RuleSets
from rules.files import read_rule_files
from rules.load import Loaded, load_rule_set
from rules.model import RuleSet
from rules.sections import SourceFile
from tocsin.settings import Settings

KEPT = 4  # compiled rule sets: the one in force, and those that open pages were made from
CONSOLE = Path(__file__).parent.parent / "rules" / "quickstart" / "console.yml"


class RuleBook:
    """The rule sets of the store, compiled. For many threads."""

    def __init__(self, stored: RuleSets) -> None:
        self._stored = stored
        self._lock = threading.Lock()
        self._compiled: dict[str, RuleSet] = {}
        self._overridden: dict[str, RuleSet] = {}  # those with overrides that people made

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
                oncall = with_overrides(compiled.oncall, self._stored.overrides(ruleset))
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
        return loaded.rule_set


def _keep(compiled: dict[str, RuleSet], rule_set: RuleSet) -> None:
    while len(compiled) >= KEPT:
        compiled.pop(next(iter(compiled)))
    compiled[rule_set.hash] = rule_set


def read_rules(settings: Settings, now: datetime) -> tuple[tuple[SourceFile, ...], Loaded, tuple[str, ...]]:
    """Read and check the configured rule files; return files, what they load to, and every error."""
    read = read_rule_files(settings.rules)
    files, loaded = read.files, load_rule_set(read.files, now=now)
    if settings.config_path is None and loaded.rule_set is not None:
        files, loaded = _paging_somebody(files, loaded, now)
    errors = [str(problem) for problem in (*read.problems, *loaded.errors) if problem.severity == "error"]
    return files, loaded, tuple(errors)


def rule_set_at(paths: Sequence[str], now: datetime) -> tuple[RuleSet | None, tuple[str, ...]]:
    """Return the rule set of files, directories and packs, as tools try it, and every error; then there is no rule set.

    Where nobody is on call, the console is, so that it is seen whom rules would have paged.
    """
    read = read_rule_files(paths)
    loaded = load_rule_set(read.files, now=now)
    errors = tuple(str(problem) for problem in (*read.problems, *loaded.errors) if problem.severity == "error")
    if errors or loaded.rule_set is None:
        return None, errors
    return _paging_somebody(read.files, loaded, now)[1].rule_set, ()


def _paging_somebody(
    files: tuple[SourceFile, ...], loaded: Loaded, now: datetime
) -> tuple[tuple[SourceFile, ...], Loaded]:
    """Let the console be on call where no person is."""
    if loaded.rule_set is None or loaded.rule_set.oncall.people:
        return files, loaded
    files = (*files, SourceFile("console.yml", CONSOLE.read_text(encoding="utf-8")))
    return files, load_rule_set(files, now=now)


def reload_rules(settings: Settings, stored: RuleSets, now: datetime) -> Reloaded:
    """Put the rule files in force on every host, all or nothing; a broken file leaves the old rules in force."""
    files, loaded, errors = read_rules(settings, now)
    if errors or loaded.rule_set is None:
        stored.refuse(errors)
        return Reloaded(hash=rules_of(stored.current()), errors=errors)
    stored.publish(loaded.rule_set.hash, _texts(files), now)
    return Reloaded(hash=loaded.rule_set.hash)


def _texts(files: Sequence[SourceFile]) -> list[tuple[str, str]]:
    return [(file.name, file.text if isinstance(file.text, str) else file.text.decode("utf-8")) for file in files]
