"""Loads rule files into a rule set: all sections over all files, every error of all files in one run.

A rule set is given out only when there is no error, so a broken file can never replace a good set. Pure: the files
have been read, and the time is an argument.
"""

import gc
import hashlib
import os.path
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import msgspec
from msgspec.structs import replace

from rules.burn_alerts import burn_rules
from rules.loading.context import Context, ReadCalendar
from rules.loading.maintenance import load_maintenance
from rules.loading.nodes import Problem
from rules.loading.oncall import load_oncall
from rules.loading.others import check_announce, load_defaults, load_heartbeats, load_normalize
from rules.loading.rules import load_rules
from rules.loading.sections import PACK_PREFIX, Sections, SourceFile
from rules.loading.slos import load_slos
from rules.loading.teams import load_teams
from rules.model import RuleSet, Subject

MAX_PROBLEMS = 1000


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of rule files: a rule set if there is no error, and every problem, sorted by file and line."""

    rule_set: RuleSet | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems for which nothing was loaded."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that are legal and probably wrong."""
        return tuple(problem for problem in self.problems if problem.severity != "error")


def load_rule_set(files: Sequence[SourceFile], *, now: datetime, read_calendar: ReadCalendar | None = None) -> Loaded:
    """Load and check rule files; the check of the rotations begins at `now`. Never raises for what a file says.

    Calendars that stand among the files are read with `read_calendar`; without it, their rotations have no turns.
    """
    with _without_collector():
        return _load(files, Context(now=now, read_calendar=read_calendar))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the garbage collector: it would go through all the nodes again and again, for half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _load(files: Sequence[SourceFile], context: Context) -> Loaded:
    sections = Sections(files, context)
    oncall = load_oncall(sections, context)
    teams, team_rules = load_teams(sections, oncall.channels, context)
    slos = load_slos(sections, context)
    check_announce(sections, context)
    defaults = load_defaults(sections, context)
    nodes = sections.items("rules")
    rules = load_rules(nodes, defaults, context)
    for key in sections.keys("rules") if not nodes and not context.problems else ():
        context.warn(key, "W311", "there is no rule, so no alert becomes an incident", "remove rules to use the packs")
    rule_set = RuleSet(
        hash=hash_of(files),
        normalize=load_normalize(sections, context),
        defaults=defaults,
        oncall=replace(oncall, teams=teams, watches_incidents=any(rule.on is Subject.INCIDENT for rule in rules)),
        rules=rules,
        burn_rules=burn_rules(slos.values(), defaults, context.names.get("rule", {})),
        slos=slos,
        heartbeats=load_heartbeats(sections, context),
        teams=team_rules,
        maintenance=load_maintenance(sections, context),
    )
    if not any(problem.severity == "error" for problem in context.problems):
        context.warn_of_unused("person", "channel", "rotation", "paging policy")
    # A section that is read twice reports once.
    found = in_order(list(dict.fromkeys(context.problems)), files)
    failed = any(problem.severity == "error" for problem in found)
    return Loaded(rule_set=None if failed else rule_set, problems=tuple(found[:MAX_PROBLEMS]))


def in_order(problems: Sequence[Problem], files: Sequence[SourceFile]) -> list[Problem]:
    """Return problems by file, in the order of the files, then by line and column."""
    order = {file.name: place for place, file in enumerate(files)}
    return sorted(problems, key=lambda each: (order.get(each.file, -1), each.line, each.column))


def hash_of(files: Sequence[SourceFile]) -> str:
    """Return the first 16 hex digits of SHA-256 over the names and texts, in their order.

    The directory that all files share does not count: a checkout has the same hash wherever it lies. With calendars
    it does, for they are found by their whole path.
    """
    digest = hashlib.sha256()
    shared = "" if any(file.is_calendar for file in files) else _shared_directory(files)
    for file in files:
        for part in (file.name.removeprefix(shared), file.text):
            data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def _shared_directory(files: Sequence[SourceFile]) -> str:
    """Return the directory in which all files of operators lie, with its last slash; empty where there is none."""
    folders = [file.name.rpartition("/")[0] for file in files if not file.name.startswith(PACK_PREFIX)]
    if not all(folders) or len({folder.startswith("/") for folder in folders}) != 1:
        return ""
    shared = os.path.commonpath(folders)
    return f"{shared}/" if shared else ""
