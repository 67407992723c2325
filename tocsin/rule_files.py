"""The rule files on their way into force: read with the calendars that they name, checked, and put into the store."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from incidents.calendars import Copy, layers_of
from incidents.oncall import OnCall
from incidents.overrides import rules_of
from incidents.rota.reading import read_calendar
from incidents.store.rulesets import Reloaded, RuleSets
from rules.files import read_rule_files
from rules.load import Loaded, load_rule_set
from rules.model import RuleSet
from rules.sections import SourceFile
from tocsin.settings import Settings

CONSOLE = Path(__file__).parent.parent / "rules" / "quickstart" / "console.yml"


def read_rules(settings: Settings, now: datetime) -> tuple[tuple[SourceFile, ...], Loaded, tuple[str, ...]]:
    """Read and check the configured rule files; return files, what they load to, and every error."""
    read = read_rule_files(settings.rules)
    files, loaded = read.files, load_rule_set(read.files, now=now, read_calendar=read_calendar)
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
    return files, load_rule_set(files, now=now, read_calendar=read_calendar)


def reload_rules(settings: Settings, stored: RuleSets, now: datetime) -> Reloaded:
    """Put the rule files in force on every host, all or nothing; a broken file leaves the old rules in force."""
    files, loaded, errors = read_rules(settings, now)
    if errors or loaded.rule_set is None:
        stored.refuse(errors)
        return Reloaded(hash=rules_of(stored.current()), errors=errors)
    read = read_files(loaded.rule_set.oncall, files, now)
    stored.publish(loaded.rule_set.hash, _texts(files), now, read)
    return Reloaded(hash=loaded.rule_set.hash)


def read_files(oncall: OnCall, files: Sequence[SourceFile], now: datetime) -> dict[str, Copy]:
    """Return what is read of the calendars that stand beside the rule files, by their ids."""
    texts = {file.name: file.text for file in files if file.is_calendar}
    return {
        name: read_calendar(texts[layer.calendar.file], layer.timezone, now)
        for name, (layer, _) in layers_of(oncall).items()
        if layer.calendar is not None and layer.calendar.file in texts
    }


def _texts(files: Sequence[SourceFile]) -> list[tuple[str, str]]:
    return [(file.name, file.text if isinstance(file.text, str) else file.text.decode("utf-8")) for file in files]
