"""The rule files on their way into force: read with the calendars that they name, checked, and put into the store."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from incidents.calendars import Copy, layers_of
from incidents.errors import NotFound
from incidents.oncall import OnCall
from incidents.overrides import rules_of
from incidents.rota.reading import read_calendar
from incidents.store.rulesets import Reloaded, RuleSets
from rules.loading.files import read_rule_files
from rules.loading.rule_set import Loaded, load_rule_set
from rules.loading.sections import PACK_PREFIX, SourceFile
from tocsin.settings import Settings

CONSOLE = Path(__file__).parent.parent / "rules" / "quickstart" / "console.yml"


def read_rules(settings: Settings, now: datetime) -> tuple[tuple[SourceFile, ...], Loaded, tuple[str, ...]]:
    """Read and check the configured rule files; return files, what they load to, and every error."""
    read = read_rule_files(settings.rules)
    files, loaded = read.files, load_rule_set(read.files, now=now, read_calendar=read_calendar)
    if settings.config_path is None and loaded.rule_set is not None and not loaded.rule_set.oncall.people:
        files, loaded = paging_console(files, now)
    errors = [str(problem) for problem in (*read.problems, *loaded.errors) if problem.severity == "error"]
    return files, loaded, tuple(errors)


def paging_console(files: tuple[SourceFile, ...], now: datetime) -> tuple[tuple[SourceFile, ...], Loaded]:
    """Let the console be on call, for files that name no person: so it is seen whom rules page."""
    files = (*files, SourceFile(CONSOLE.name, CONSOLE.read_text(encoding="utf-8")))
    return files, load_rule_set(files, now=now, read_calendar=read_calendar)


def reload_rules(settings: Settings, stored: RuleSets, now: datetime) -> Reloaded:
    """Put the rule files in force on every host, all or nothing; a broken file leaves the old rules in force."""
    files, loaded, errors = read_rules(settings, now)
    errors = errors or _vanished(settings, stored, files)
    if errors or loaded.rule_set is None:
        stored.refuse(errors)
        return Reloaded(hash=rules_of(stored.current()), errors=errors)
    read = read_files(loaded.rule_set.oncall, files, now)
    stored.publish(loaded.rule_set.hash, _texts(files), now, read)
    return Reloaded(hash=loaded.rule_set.hash)


def _vanished(settings: Settings, stored: RuleSets, files: Sequence[SourceFile]) -> tuple[str, ...]:
    """Return an error where every file of the operators is gone: a checkout that is empty for a moment names nobody."""
    places = [place for place in settings.rules if not place.startswith(PACK_PREFIX)]
    if not places or any(_is_own(file.name) for file in files):
        return ()
    try:
        before = stored.text(stored.current())
    except NotFound:
        return ()
    if not any(_is_own(name) for name, _ in before.files):
        return ()
    mend = "bring them back, or have the packs alone in force: `rules: [pack:practice]` in tocsin.yml, and a restart"
    return (f"{', '.join(places)}: error[E001] every rule file that was in force is gone ({mend})",)


def _is_own(name: str) -> bool:
    return not name.startswith(PACK_PREFIX) and name != CONSOLE.name


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
